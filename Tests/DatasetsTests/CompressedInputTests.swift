import Datasets
import Foundation
import Testing

@Suite struct CompressedInputTests {
  /// `gzip.compress(b"item_id,text\na,one\n", mtime=0)` and the same of `b"b,two\n"`, by Python 3.11.
  private let first =
    "H4sIAAAAAAACA8ssSc2Nz0zRKUmtKOFK1MnPS+UCAD6uQpETAAAA"
  private let second = "H4sIAAAAAAACA0vSKSnP5wIAnxqcRwYAAAA="

  private func bytes(_ base64: String) throws -> [UInt8] {
    Array(try #require(Data(base64Encoded: base64)))
  }

  @Test func membersInARowAreOneStream() throws {
    let folder = try TemporaryFolder()
    // The name says nothing of compression: the bytes do.
    let url = try folder.file("items.csv", try bytes(first) + bytes(second))
    let items = try ItemTable.load(from: url)
    #expect(items.ids.strings == ["a", "b"])
    #expect(items.texts == ["one", "two"])
  }

  @Test func cutAndDamagedDataAreErrors() throws {
    let folder = try TemporaryFolder()
    let whole = try bytes(first)
    let cut = try folder.file("cut.csv.gz", Array(whole.dropLast(9)))
    let error = #expect(throws: DatasetError.self) { try ItemTable.load(from: cut) }
    #expect(error?.what.hasPrefix("damaged gzip data") == true)
    var damaged = whole
    damaged[whole.count - 6] ^= 0xFF
    let bad = try folder.file("bad.csv.gz", damaged)
    #expect(throws: DatasetError.self) { try ItemTable.load(from: bad) }
  }
}
