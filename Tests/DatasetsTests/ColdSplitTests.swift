import Datasets
import Foundation
import Testing

/// The golden files are written by bench/baselines.py.
@Suite struct ColdSplitTests {
  private func split(
    reversed: Bool = false, _ change: (inout ColdSplit.Options) -> Void = { _ in }
  ) throws -> ColdSplit {
    let items = try ItemTable.load(from: golden("items.csv"))
    var (rows, _) = try Behaviors.load(from: golden("behaviors.csv"), items: items)
    if reversed { rows = rows.selecting((0..<Int32(rows.count)).reversed()) }
    var options = ColdSplit.Options()
    options.seed = 7
    options.coldValidationFraction = 0.1
    options.warmFraction = 0.3
    change(&options)
    return try ColdSplit.make(rows, positive: PositiveRule(threshold: 2.5), options: options)
  }

  private func expectSameFiles(_ split: ColdSplit, _ name: String) throws {
    let folder = try TemporaryFolder()
    try split.write(to: folder.url)
    let expected = try FileManager.default.contentsOfDirectory(atPath: golden(name).path)
    let written = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(written.sorted() == expected.sorted())
    for file in expected {
      #expect(
        try Data(contentsOf: folder.url.appendingPathComponent(file))
          == Data(contentsOf: golden(name).appendingPathComponent(file)), "\(name)/\(file)")
    }
  }

  @Test func filesAreThoseOfBaselines() throws {
    try expectSameFiles(split(), "split")
    try expectSameFiles(split { $0.coldBy = .firstSeen }, "split_time")
    try expectSameFiles(
      split {
        $0.warmBy = .last
        $0.coldValidationFraction = 0
      }, "split_last")
  }

  @Test func theOrderOfRowsDoesNotMatter() throws {
    // Rows that agree in all but their place give the same row either way.
    try expectSameFiles(split(reversed: true), "split")
  }

  @Test func writtenOverAnEarlierSplit() throws {
    let folder = try TemporaryFolder()
    try split().write(to: folder.url)
    try split { $0.coldValidationFraction = 0 }.write(to: folder.url)
    #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/val_cold.csv"))
    #expect(!FileManager.default.fileExists(atPath: folder.url.path + "/val_cold_items.txt"))
  }

  @Test func readsWhatItAndBaselinesWrote() throws {
    let items = try ItemTable.load(from: golden("items.csv")).ids
    let made = try split()
    for table in [items, nil] {
      let read = try ColdSplit.read(from: golden("split"), items: table)
      #expect(read.info == made.info)
      for (a, b) in [
        (read.train, made.train), (read.testWarm, made.testWarm), (read.testCold, made.testCold),
        (read.validationCold, made.validationCold),
      ] {
        #expect(a.userIndex.map { a.users[Int($0)] } == b.userIndex.map { b.users[Int($0)] })
        #expect(a.itemIndex.map { a.items[Int($0)] } == b.itemIndex.map { b.items[Int($0)] })
      }
      #expect(
        read.warmItems.map { read.train.items[Int($0)] }
          == made.warmItems.map { made.train.items[Int($0)] })
      try expectSameFiles(read, "split")
    }
  }

  @Test func balancedSetOfBaselines() throws {
    let data = try Data(contentsOf: golden("balanced.json"))
    let expected = try #require(JSONSerialization.jsonObject(with: data) as? [[Any]])
    let split = try split()
    #expect(split.testCold.count == expected.count)
    for (row, entry) in expected.enumerated() {
      let kept = split.isInBalancedSet(
        user: Int(split.testCold.userIndex[row]), item: Int(split.testCold.itemIndex[row]))
      #expect(kept == entry[2] as? Bool)
    }
  }

  @Test func damagedSplitsAreErrors() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DatasetError.self) { try ColdSplit.read(from: folder.url) }
    try split().write(to: folder.url)
    let cold = try String(
      contentsOf: folder.url.appendingPathComponent("test_cold.csv"), encoding: .utf8)
    _ = try folder.file("train.csv", cold)
    let leak = #expect(throws: DatasetError.self) { try ColdSplit.read(from: folder.url) }
    #expect(leak?.what.contains("has training rows") == true)
    let unknown = #expect(throws: DatasetError.self) {
      try ColdSplit.read(from: folder.url, items: IDTable(["only"]))
    }
    #expect(unknown?.line == 1)
    _ = try folder.file("split.json", "{")
    #expect(throws: DatasetError.self) { try ColdSplit.read(from: folder.url) }
  }

  @Test func impossibleSplitsAreErrors() throws {
    #expect(throws: SplitError.share("--cold", 1.5)) { try split { $0.coldFraction = 1.5 } }
    #expect(throws: SplitError.share("--warm", -1)) { try split { $0.warmFraction = -1 } }
    let (rows, _) = try Behaviors.load(from: golden("behaviors.csv"))
    #expect(throws: SplitError.self) {
      try ColdSplit.make(rows, positive: PositiveRule(threshold: 1e9))
    }
  }

  /// C's printf of the decimal number in the file.
  @Test(arguments: [
    ("1", "1"), ("-1", "-1"), ("2.5", "2.5"), ("3.14159265", "3.14159"), ("12345.65", "12345.6"),
    ("0.1234565", "0.123456"), ("1234567", "1.23457e+06"), ("1e-5", "1e-05"), ("0", "0"),
    ("-0.0", "-0"), ("1e6", "1e+06"), ("999999.5", "1e+06"), ("16777217", "1.67772e+07"),
  ])
  func labelsAsPrintf(text: String, expected: String) throws {
    #expect(labelText(try #require(Float(text))) == expected)
    #expect(String(format: "%g", strtod(text, nil)) == expected)
  }
}
