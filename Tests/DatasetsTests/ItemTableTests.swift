import Datasets
import Foundation
import Testing

@Suite struct ItemTableTests {
  @Test func textAndFeatures() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file(
      "items.csv", "item_id,text,category,price\na,\"x, y\",Toys|Games,4.5\nb,,Toys,\n")
    let items = try ItemTable.load(from: url)
    #expect(items.ids.strings == ["a", "b"])
    #expect(items.texts == ["x, y", ""])
    #expect(items.features?.columns.map(\.name) == ["category", "price"])
    #expect(items.features?.column(named: "price")?.values == ["4.5", ""])
  }

  @Test func recBoleNames() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file(
      "ml.item",
      "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n1\tToy Story\t1995\tAnimation\n"
    )
    let items = try ItemTable.load(from: url)
    #expect(items.texts == ["Toy Story"])
    #expect(items.features?.columns.map(\.name) == ["release_year", "class"])
  }

  @Test func repeatedIdsAreErrorsWithTheirLine() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("items.csv", "item_id,text\na,1\nb,2\na,3\n")
    let error = #expect(throws: DatasetError.self) { try ItemTable.load(from: url) }
    #expect(error?.line == 4)
    #expect(error?.what == "item_id 'a' a second time")
    var options = TableOptions()
    options.skipBadRows = true
    let items = try ItemTable.load(from: url, options: options)
    #expect(items.texts == ["1", "2"])
    #expect(items.badRowCount == 1)
  }

  @Test func missingColumnsNameTheFlag() throws {
    let folder = try TemporaryFolder()
    let noID = try folder.file("a.csv", "key,text\na,1\n")
    let noText = try folder.file("b.csv", "item_id,price\na,1\n")
    let empty = try folder.file("c.csv", "item_id,text\n")
    #expect(
      #expect(throws: DatasetError.self) { try ItemTable.load(from: noID) }?
        .advice.contains("--item-column") == true)
    #expect(
      #expect(throws: DatasetError.self) { try ItemTable.load(from: noText) }?
        .advice.contains("--text-column") == true)
    #expect(throws: DatasetError.self) { try ItemTable.load(from: empty) }
    var options = TableOptions()
    options.itemColumn = "key"
    #expect(try ItemTable.load(from: noID, options: options).count == 1)
  }

  @Test func textsInsideOrBesideTheBehaviours() throws {
    let folder = try TemporaryFolder()
    let inside = try folder.file("with.csv", "user,item,title\n1,a,\n2,b,Bee\n3,a,Ay\n4,a,other\n")
    let items = try ItemTable.find(forBehaviors: inside, items: nil)
    #expect(items.ids.strings == ["a", "b"])
    #expect(items.texts == ["Ay", "Bee"])
    let without = try folder.file("without.csv", "user,item\n1,a\n")
    let error = #expect(throws: DatasetError.self) {
      try ItemTable.find(forBehaviors: without, items: nil)
    }
    #expect(error?.advice.contains("--items") == true)
    _ = try folder.file("items.csv", "item_id,text\nq,beside\n")
    #expect(try ItemTable.find(forBehaviors: without, items: nil).texts == ["beside"])
  }

  @Test func users() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("users.csv", "userId,age,gender\n5,31,F\n6,,M\n")
    let users = try UserTable.load(from: url)
    #expect(users.ids.strings == ["5", "6"])
    #expect(users.features?.columns.map(\.name) == ["age", "gender"])
  }
}
