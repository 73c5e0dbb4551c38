import Datasets
import Foundation
import Testing

@Suite struct AtomicFileTests {
  private struct Interruption: Error {}

  @Test func replacesTheWholeFile() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("a.txt", "old")
    let large = [UInt8](repeating: 7, count: 1 << 20)
    try AtomicFile.write(to: url) { file in
      try file.write("new")
      try file.write(large)
      try file.write([1, 2])
    }
    #expect(try Data(contentsOf: url) == Data(Array("new".utf8) + large + [1, 2]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a.txt"])
  }

  @Test func failureLeavesTheOldFileAndNoOther() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("a.txt", "old")
    #expect(throws: Interruption.self) {
      try AtomicFile.write(to: url) { file in
        try file.write("half")
        throw Interruption()
      }
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a.txt"])
  }

  @Test func aMissingFolderIsAnError() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DatasetError.self) {
      try AtomicFile.write("x", to: folder.url.appendingPathComponent("none/a.txt"))
    }
    #expect(error?.what.contains("No such file") == true)
  }

  /// The golden file is written by Python's csv module.
  @Test func writesCSVAsPython() throws {
    let rows = try JSONDecoder().decode([[String]].self, from: Data(contentsOf: golden("csv.json")))
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("a.csv")
    try AtomicFile.write(to: url) { file in
      var csv = CSVWriter(file)
      for row in rows { try csv.writeRow(row) }
    }
    #expect(try Data(contentsOf: url) == Data(contentsOf: golden("csv.csv")))
  }

  @Test func aLoneEmptyFieldIsQuoted() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("a.csv")
    try AtomicFile.write(to: url) { file in
      var csv = CSVWriter(file)
      try csv.writeRow(["text"])
      try csv.writeRow([""])
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "text\n\"\"\n")
  }
}
