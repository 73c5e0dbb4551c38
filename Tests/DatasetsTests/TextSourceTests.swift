import Datasets
import Foundation
import Testing

@Suite struct TextSourceTests {
  private func read(
    _ name: String, _ contents: String, _ options: TextSource.Options = .init()
  ) throws -> (batch: TextSource.Batch, summary: TextSource.Summary) {
    let folder = try TemporaryFolder()
    return try TextSource(folder.file(name, contents), options: options).readAll()
  }

  @Test func linesEndAtNewlineOnly() throws {
    let (batch, summary) = try read("a.txt", "\u{FEFF}one\r\n\ntwo\rtwo\u{2028}\n last")
    #expect(batch.texts == ["one", "", "two\rtwo\u{2028}", " last"])
    #expect(batch.ids == nil)
    #expect(summary.texts == 4)
    #expect(summary.blank == 1)
  }

  @Test func tablesTakeTheTextColumn() throws {
    let (batch, _) = try read("a.csv", "item_id,title,text\n7,T,\"a, b\"\n8,U,\n")
    #expect(batch.texts == ["a, b", ""])
    #expect(batch.ids == ["7", "8"])
  }

  @Test func titleAndDescriptionAreJoined() throws {
    let (batch, _) = try read(
      "movies.csv",
      "movieId,title,genres,description,year\n1,Heat,Crime|Drama,Cops. ,1995\n2,Up!,,,2009\n")
    #expect(batch.texts == ["Heat. Cops. Crime, Drama", "Up!"])
    #expect(batch.ids == ["1", "2"])
  }

  @Test func sentencesEndOnce() throws {
    let (batch, _) = try read("a.tsv", "title\tdescription\nWho?\tMe\n\tAlone\n")
    #expect(batch.texts == ["Who? Me", "Alone"])
  }

  @Test func namedColumns() throws {
    var options = TextSource.Options()
    options.textColumns = ["Plot", "title"]
    #expect(try read("a.csv", "title,plot,text\nT,P,X\n", options).batch.texts == ["P. T"])
    options.textColumns = ["none"]
    let error = #expect(throws: DatasetError.self) { try read("a.csv", "title\nT\n", options) }
    #expect(error?.description.contains("no column 'none' among: title: ") == true)
    #expect(error?.description.contains("--text-column") == true)
  }

  @Test func objects() throws {
    let lines = """
      {"parent_asin":"B1","title":"Mug","description":["Red.","Big"],"price":4}
      {"asin":"B2","title":"Cup","description":[]}

      {"id":7,"text":"caf\\u00e9"}
      """
    let (batch, _) = try read("a.jsonl", lines)
    #expect(batch.texts == ["Mug. Red. Big", "Cup", "caf\u{E9}"])
    #expect(batch.ids == ["B1", "B2", "7"])
  }

  @Test(arguments: [
    ("a.csv", "item_id,colour:token,text,size\n1,red,Mug,\n2,,Cup,big\n"),
    (
      "a.jsonl",
      #"{"item_id":1,"text":"Mug","colour":"red"}"# + "\n" + #"{"text":"Cup","size":"big"}"#
    ),
  ])
  func featureColumnsComeWithTheTexts(name: String, contents: String) throws {
    var options = TextSource.Options()
    options.featureColumns = ["size", "season", "colour"]
    let folder = try TemporaryFolder()
    let source = try TextSource(folder.file(name, contents), options: options)
    let batch = try source.readAll().batch
    #expect(batch.texts == ["Mug", "Cup"])
    let expected = FeatureTable(
      columns: [
        .init(name: "size", values: ["", "big"]), .init(name: "colour", values: ["red", ""]),
      ], rowCount: 2)
    #expect(batch.features == expected)
    #expect(expected.rows(1..<2).column(named: "size")?.values == ["big"])
    // Batches of a text each have a row each.
    var rows: [FeatureTable?] = []
    try source.forEachBatch(maximumBytes: 1) { rows.append($0.features) }
    #expect(rows == [expected.rows(0..<1), expected.rows(1..<2)])
    options.featureColumns = ["season"]
    #expect(try read(name, contents, options).batch.features == nil)
  }

  @Test func badObjectsAreErrorsOrCounted() throws {
    let lines = "{\"text\":\"a\"}\n[1]\n{\"text\":\"b\"}\n{\"x\":1}\n"
    let error = #expect(throws: DatasetError.self) { try read("a.jsonl", lines) }
    #expect(error?.line == 2)
    var options = TextSource.Options()
    options.skipBadRows = true
    let (batch, summary) = try read("a.jsonl", lines, options)
    #expect(batch.texts == ["a", "b"])
    #expect(summary.badRows == 2)
  }

  @Test(arguments: [("a.txt", ""), ("a.txt", "\n \n"), ("a.csv", "text\n"), ("a.jsonl", "\n")])
  func emptyCorporaAreErrors(name: String, contents: String) throws {
    #expect(throws: DatasetError.self) { try read(name, contents) }
  }

  @Test func invalidUTF8HasItsLine() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("a.txt", Array("ok\n".utf8) + [0xFF, 0x0A] + Array("end".utf8))
    let error = #expect(throws: DatasetError.self) { try TextSource(url).readAll() }
    #expect(error?.line == 2)
  }

  @Test func batchesAreCutBySizeAndLoseNothing() throws {
    let folder = try TemporaryFolder()
    let texts = (0..<1000).map { String(repeating: "x", count: $0 % 37) + "\($0)" }
    let url = try folder.file("a.txt", texts.joined(separator: "\n"))
    var all: [String] = []
    var batches = 0
    let summary = try TextSource(url).forEachBatch(maximumBytes: 500) { batch in
      #expect(batch.first == all.count)
      #expect(batch.texts.dropLast().reduce(0) { $0 + $1.utf8.count } < 500)
      all += batch.texts
      batches += 1
    }
    #expect(all == texts)
    #expect(batches > 20)
    #expect(summary.bytes == texts.reduce(0) { $0 + $1.utf8.count })
  }
}
