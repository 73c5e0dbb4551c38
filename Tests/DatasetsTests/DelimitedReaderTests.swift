import Datasets
import Foundation
import Testing

@Suite struct DelimitedReaderTests {
  private func rows(
    _ text: String, name: String = "a.csv", skipBadRows: Bool = false, bufferSize: Int = 1 << 20
  ) throws -> (rows: [[String]], reader: DelimitedReader) {
    let folder = try TemporaryFolder()
    let url = try folder.file(name, text)
    let reader = try DelimitedReader(
      path: url.path, skipBadRows: skipBadRows, bufferSize: bufferSize)
    var rows: [[String]] = []
    while try reader.next() { rows.append(reader.header.indices.map { reader.string($0) }) }
    return (rows, reader)
  }

  /// Every buffer size cuts the file at other places: inside quotes, CRLF, characters.
  @Test(arguments: [16, 17, 23, 64, 1 << 20])
  func readsWhatPythonWrites(bufferSize: Int) throws {
    let expected = try JSONDecoder().decode(
      [[String]].self, from: Data(contentsOf: golden("csv.json")))
    let reader = try DelimitedReader(path: golden("csv.csv").path, bufferSize: bufferSize)
    var rows = [reader.header]
    while try reader.next() { rows.append(reader.header.indices.map { reader.string($0) }) }
    #expect(rows.map { $0.map { Array($0.utf8) } } == expected.map { $0.map { Array($0.utf8) } })
  }

  @Test(arguments: [16, 19, 1 << 20])
  func marksLineEndsAndEmptyLines(bufferSize: Int) throws {
    let text = "\u{FEFF}a,b\r\n1,\"x\r\ny\"\r\n\r\n\n2,\"\"\r\n3,last"
    let (rows, reader) = try rows(text, bufferSize: bufferSize)
    #expect(reader.header == ["a", "b"])
    #expect(rows == [["1", "x\r\ny"], ["2", ""], ["3", "last"]])
    #expect(reader.line == 7)
  }

  @Test func lineOfEachRow() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("a.csv", "a\n1\n\n\"2\n\"\n3\n")
    let reader = try DelimitedReader(path: url.path)
    var lines: [Int] = []
    while try reader.next() { lines.append(reader.line) }
    #expect(lines == [2, 4, 6])
  }

  @Test func tabsKeepOrdinaryQuotes() throws {
    let text = "a\tb\n\"So\" he said\t5\" disk\n\"one \"\"two\"\"\"\t,\n\"open\tx\n"
    let (rows, _) = try rows(text, name: "news.tsv")
    #expect(
      rows == [["\"So\" he said", "5\" disk"], ["one \"two\"", ","], ["\"open", "x"]])
  }

  @Test func unknownNameTellsByTheFirstLine() throws {
    #expect(try rows("a\tb\n1\t2,3\n", name: "u.data").rows == [["1", "2,3"]])
    #expect(try rows("a,b\n1,2\t3\n", name: "u.data").rows == [["1", "2\t3"]])
  }

  @Test(arguments: [
    ("a,b\n1,2\n3\n", "1 fields instead of 2: a.csv:3"),
    ("a,b\n1,2\n3,4,5\n", "3 fields instead of 2: a.csv:3"),
    ("a,b\n\"1\n\",2\n3,\"4\n5,6\n", "a quoted field is never closed: a.csv:4"),
    ("a,b\n1,\"2\"x\n", "text stands behind a closing quote: a.csv:2"),
  ])
  func malformedRowsAreErrorsWithTheirLine(text: String, message: String) throws {
    let error = #expect(throws: DatasetError.self) { try rows(text) }
    let description = try #require(error).description
    let place = message.split(separator: ": ").map(String.init)
    #expect(description.hasPrefix(place[0]))
    #expect(description.contains(place[1] + "; "))
    #expect(description.contains("--skip-bad-rows"))
  }

  @Test func skippedRowsAreCounted() throws {
    let (rows, reader) = try rows(
      "a,b\n1,2\n3\n4,\"5\n6,7\n8,\"9\"\n1,\"2\"x\n10,11\n", skipBadRows: true)
    #expect(rows == [["1", "2"], ["6", "7"], ["8", "9"], ["10", "11"]])
    #expect(reader.badRowCount == 3)
    #expect(reader.firstBadRow?.contains("a.csv:3") == true)
  }

  @Test func invalidUTF8IsAnErrorWithItsLine() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file(
      "a.csv", Array("a,b\nok,é\nx,".utf8) + [0xE9, 0x0A] + Array("1,2\n".utf8))
    let reader = try DelimitedReader(path: url.path)
    #expect(try reader.next())
    let error = #expect(throws: DatasetError.self) { try reader.next() }
    #expect(error?.line == 3)
    #expect(error?.what == "a field is not UTF-8")
  }

  @Test func emptyAndMissingFilesAreErrors() throws {
    let folder = try TemporaryFolder()
    let empty = try folder.file("a.csv")
    #expect(throws: DatasetError.self) { try DelimitedReader(path: empty.path) }
    let error = #expect(throws: DatasetError.self) {
      try DelimitedReader(path: folder.url.appendingPathComponent("none.csv").path)
    }
    #expect(error?.what.contains("No such file") == true)
    #expect(throws: DatasetError.self) { try DelimitedReader(path: folder.url.path) }
  }

  /// The validator against the standard library's, on each two-byte and many longer sequences.
  @Test func validatesUTF8AsTheStandardLibrary() {
    func agrees(_ bytes: [UInt8]) -> Bool {
      let ours = bytes.withUnsafeBufferPointer { isValidUTF8($0) }
      return ours == (String(validating: bytes, as: UTF8.self) != nil)
    }
    for a in UInt8.min...UInt8.max {
      for b in UInt8.min...UInt8.max { #expect(agrees([a, b])) }
    }
    var generator = SeededGenerator(seed: 1)
    let pool: [UInt8] = [
      0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF,
      0xF0, 0xF3, 0xF4, 0xF5,
    ]
    for _ in 0..<20_000 {
      let bytes = (0..<5).map { _ in pool[generator.uniform(below: pool.count)] }
      #expect(agrees(bytes), "\(bytes)")
    }
  }
}
