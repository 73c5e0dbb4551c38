import Datasets
import Foundation
import Testing

@Suite struct BehaviorsTests {
  private func load(
    _ contents: String, items: [String]? = nil, name: String = "b.csv",
    _ options: TableOptions = TableOptions()
  ) throws -> (Behaviors, DataReport) {
    let folder = try TemporaryFolder()
    let url = try folder.file(name, contents)
    return try Behaviors.load(path: url.path, itemIDs: items.map { IDTable($0) }, options: options)
  }

  @Test func typedColumns() throws {
    let (rows, report) = try load(
      "user_id,item_id,label,timestamp\nu,a,2.5,10\nv,b,1,\nu,b,0,2011-12-09T12:50:00Z\n")
    #expect(rows.users.strings == ["u", "v"])
    #expect(rows.items.strings == ["a", "b"])
    #expect(rows.userIndex == [0, 1, 0])
    #expect(rows.itemIndex == [0, 1, 1])
    #expect(rows.labels == [2.5, 1, 0])
    #expect(rows.timestamps?[0] == 10)
    #expect(rows.timestamps?[1].isNaN == true)
    #expect(rows.timestamps?[2] == 1_323_435_000)
    #expect(report.missingTimestamps == 1)
  }

  @Test(arguments: [
    ("userId,movieId,rating,timestamp\n1,2,3,4\n", "m.csv"),
    ("user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t4\n", "m.inter"),
    ("overall,reviewerID,asin,unixReviewTime\n3,1,2,4\n", "m.csv"),
    ("rating,asin,parent_asin,user_id,timestamp\n3,9,2,1,4\n", "m.csv"),
    ("UserID,ItemID,Rating,Timestamp\n1,2,3,4\n", "m.csv"),
    ("uid,iid,score,time\n1,2,3,4\n", "m.csv"),
  ])
  func aliasesOfCommonDataSets(contents: String, name: String) throws {
    let (rows, report) = try load(contents, name: name)
    #expect(rows.users.strings == ["1"])
    #expect(rows.items.strings == ["2"])
    #expect(rows.labels == [3])
    #expect(rows.timestamps == [4])
    #expect(report.hasLabels)
  }

  @Test func namedColumnsAndMissingOnes() throws {
    var options = TableOptions()
    options.userColumn = "who"
    options.labelColumn = "much"
    let (rows, _) = try load("who,item,much\n1,2,3\n", options)
    #expect(rows.labels == [3])
    let error = #expect(throws: DatasetError.self) { try load("who,item\n1,2\n") }
    #expect(
      error?.description
        == "no user column among: who, item: \(error?.path ?? ""):1; name it with --user-column")
  }

  private func load(
    _ contents: String, _ options: TableOptions
  ) throws -> (Behaviors, DataReport) {
    try load(contents, items: nil, name: "b.csv", options)
  }

  @Test func whatIsLeftOutIsCounted() throws {
    let (rows, report) = try load(
      "user_id,item_id,label\nu,a,1\n,a,1\nu,,1\nu,z,1\nv,z,1\nu,y,1\nu,a,inf\nu,a,nan\nv,a,\nv,a,1e99\nv,a,True\n",
      items: ["q", "a"])
    #expect(rows.itemIndex == [1, 1, 1])
    #expect(rows.labels == [1, 1, 1])
    #expect(report.rowsRead == 11)
    #expect(report.rowsKept == 3)
    #expect(report.missingIDs == 2)
    #expect(report.unknownItemRows == 3)
    #expect(report.unknownItems == 2)
    #expect(report.nonFiniteLabels == 3)
    #expect(report.missingLabels == 1)
  }

  @Test func errorsSayWhere() throws {
    let label = #expect(throws: DatasetError.self) {
      try load("user,item,label\nu,a,1\nu,b,good\n")
    }
    #expect(label?.line == 3)
    #expect(label?.what == "label 'good' is not a number")
    let time = #expect(throws: DatasetError.self) { try load("user,item,time\nu,a,yesterday\n") }
    #expect(time?.line == 2)
    var options = TableOptions()
    options.unknownItems = .reject
    let unknown = #expect(throws: DatasetError.self) {
      try load("user,item\nu,a\nu,z\n", items: ["a"], name: "b.csv", options)
    }
    #expect(unknown?.line == 3)
    #expect(throws: DatasetError.self) { try load("user,item\n") }
    #expect(throws: DatasetError.self) { try load("user,item\nu,z\n", items: ["a"]) }
    options = TableOptions()
    options.skipBadRows = true
    let (rows, report) = try load("user,item,label\nu,a,good\nu,b\nu,c,1\n", options)
    #expect(rows.items.strings == ["c"])
    #expect(report.badRows == 2)
    #expect(report.rowsRead == 1)
  }
}
