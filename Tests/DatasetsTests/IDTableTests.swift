import Datasets
import Foundation
import Testing

@Suite struct IDTableTests {
  @Test func numbersInOrderOfAppearance() {
    let table = IDTable(["b", "a", "b", ""])
    #expect(table.count == 3)
    #expect(table.strings == ["b", "a", ""])
    #expect(table.index(of: "a") == 1)
    #expect(table.index(of: "") == 2)
    #expect(table.index(of: "c") == nil)
  }

  @Test func canonicallyEquivalentIdsStayApart() {
    let table = IDTable(["\u{E0}", "a\u{300}"])
    #expect(table.count == 2)
    #expect(table.index(of: "a\u{300}") == 1)
  }

  /// Against a dictionary of byte arrays, through many growths and all lengths around the hash's words.
  @Test func manyIdsAsADictionary() {
    var generator = SeededGenerator(seed: 4)
    var table = IDTable()
    var reference: [[UInt8]: Int] = [:]
    for _ in 0..<20_000 {
      let id = (0..<generator.uniform(below: 20)).map { _ in UInt8(97 + generator.uniform(below: 2))
      }
      let index = id.withUnsafeBufferPointer { table.insert($0) }
      if reference[id] == nil { reference[id] = reference.count }
      #expect(index == reference[id])
    }
    #expect(table.count == reference.count)
    for (id, index) in reference {
      #expect(id.withUnsafeBufferPointer { table.index(of: $0) } == index)
      #expect(table.withBytes(of: index) { Array($0) } == id)
    }
  }

  @Test func sortsByCodePoints() {
    let table = IDTable(["\u{1F600}", "\u{FFFD}", "a", "Z", "10", "9", "a\u{300}", "\u{E0}", "ab"])
    #expect(
      table.sortedIndices().map { table[Int($0)].unicodeScalars.map(\.value) } == [
        [0x31, 0x30], [0x39], [0x5A], [0x61], [0x61, 0x62], [0x61, 0x300], [0xE0], [0xFFFD],
        [0x1F600],
      ])
  }
}
