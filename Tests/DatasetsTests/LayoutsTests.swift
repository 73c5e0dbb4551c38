import Datasets
import Foundation
import Testing

/// Files as the data sets' own documentation shows them.
@Suite struct LayoutsTests {
  private func behaviors(
    _ name: String, _ contents: String, _ options: TableOptions = TableOptions()
  ) throws -> (Behaviors, notices: [String]) {
    let folder = try TemporaryFolder()
    let url = try folder.file(name, contents)
    let notices = Notices()
    var options = options
    options.notice = { notices.add($0) }
    let (rows, _) = try Behaviors.load(path: url.path, itemIDs: nil, options: options)
    return (rows, notices.lines)
  }

  @Test(
    "Layouts without a header are told by their first line, whatever the file's name",
    arguments: [
      ("ratings.dat", "1::1193::5::978300760\n2::661::3::978302109\n", "ratings.dat"),
      ("x.txt", "1::1193::5::978300760\n2::661::3::978302109\n", "ratings.dat"),
      ("u.data", "1\t1193\t5\t978300760\n2\t661\t3\t978302109\n", "u.data"),
      (
        "ratings.csv",
        "userId,movieId,rating,timestamp\n1,1193,5.0,978300760\n2,661,3.0,978302109\n",
        "MovieLens CSV"
      ),
      (
        "ml.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1193\t5\t978300760\n2\t661\t3\t978302109\n",
        "RecBole"
      ),
      (
        "r.csv", "userID,itemID,rating,timestamp\n1,1193,5.0,978300760\n2,661,3.0,978302109\n",
        "Microsoft recommenders"
      ),
      (
        "reviews.jsonl",
        "{\"reviewerID\": \"1\", \"asin\": \"1193\", \"overall\": 5.0, \"reviewText\": \"x\", \"unixReviewTime\": 978300760}\n"
          + "\n{\"overall\": 3, \"helpful\": [0, 1], \"asin\": \"661\", \"reviewerID\": \"2\", \"unixReviewTime\": 978302109}\n",
        "Amazon reviews"
      ),
    ])
  func ratings(name: String, contents: String, title: String) throws {
    let (rows, notices) = try behaviors(name, contents)
    #expect(rows.users.strings == ["1", "2"])
    #expect(rows.items.strings == ["1193", "661"])
    #expect(rows.labels == [5, 3])
    #expect(rows.timestamps == [978_300_760, 978_302_109])
    #expect(notices.count == 1 && notices[0].contains(title), "\(notices)")
  }

  @Test("The parent of an Amazon item is the item, and JSON's own types are understood")
  func amazon2023() throws {
    let (rows, _) = try behaviors(
      "Beauty.jsonl",
      "{\"rating\":4.0,\"title\":\"Nice\",\"text\":\"It \\\"works\\\"\",\"images\":[],\"asin\":\"B1\",\"parent_asin\":\"P1\",\"user_id\":\"A\",\"timestamp\":1588687728923,\"helpful_vote\":0,\"verified_purchase\":true}\n"
    )
    #expect(rows.items.strings == ["P1"] && rows.users.strings == ["A"])
    #expect(rows.labels == [4] && rows.timestamps == [1_588_687_728_923])
  }

  @Test("MIND: clicks and history are positives, what was shown besides is negative")
  func impressions() throws {
    let contents =
      "1\tU1\t11/15/2019 8:55:22 AM\tN1 N2\tN3-1 N4-0\n"
      + "2\tU1\t11/15/2019 12:01:02 PM\tN1 N2\tN-4-1\n"
      + "3\tU2\t11/11/2019 12:00:00 AM\t\tN3-0\n"
    let (rows, notices) = try behaviors("behaviors.tsv", contents)
    // The history of a user counts once.
    #expect(rows.users.strings == ["U1", "U2"])
    #expect(rows.itemIndex.map { rows.items[Int($0)] } == ["N1", "N2", "N3", "N4", "N-4", "N3"])
    #expect(rows.userIndex == [0, 0, 0, 0, 0, 1])
    #expect(rows.labels == [1, 1, 1, 0, 1, 0])
    let times = try #require(rows.timestamps)
    #expect(times[0].isNaN && times[1].isNaN)
    // Python: datetime(2019, 11, 15, 8, 55, 22, tzinfo=utc).timestamp() and so on.
    #expect(Array(times[2...]) == [1_573_808_122, 1_573_808_122, 1_573_819_262, 1_573_430_400])
    #expect(notices[0].contains("MIND"))
    let error = #expect(throws: DatasetError.self) {
      try behaviors("behaviors.tsv", contents + "4\tU3\t11/11/2019 1:00:00 AM\t\tN3 N4\n")
    }
    #expect(error?.line == 4)
  }

  private func items(_ name: String, _ bytes: [UInt8]) throws -> ItemTable {
    let folder = try TemporaryFolder()
    return try ItemTable.load(from: try folder.file(name, bytes))
  }

  @Test func filmsInLatin1() throws {
    // movies.dat and u.item are ISO 8859-1: E9 is é.
    let table = try items(
      "movies.dat",
      Array("1::Toy Story (1995)::Animation|Children's\n2::Mis".utf8) + [0xE9]
        + Array("rables, Les (1995)::Drama\n".utf8))
    #expect(table.ids.strings == ["1", "2"])
    #expect(
      table.texts == [
        "Toy Story (1995). Animation, Children's", "Mis\u{E9}rables, Les (1995). Drama",
      ])
    #expect(table.features?.column(named: "genres")?.values == ["Animation|Children's", "Drama"])
    let old = try items(
      "u.item",
      Array(
        "1|Toy Story (1995)|01-Jan-1995||http://us.imdb.com/M/title-exact?Toy%20Story%20(1995)|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"
          .utf8))
    #expect(old.texts == ["Toy Story (1995). Animation, Children's, Comedy"])
  }

  @Test func newsAndProducts() throws {
    let news = try items(
      "news.tsv",
      Array(
        "N1\tlifestyle\troyals\tThe \"Brands\" Swear By\tShop the notebooks\thttps://x.html\t[{\"Label\": \"P\"}]\t[]\n"
          .utf8))
    #expect(news.texts == ["The \"Brands\" Swear By. Shop the notebooks"])
    #expect(news.features?.column(named: "subcategory")?.values == ["royals"])
    let products = try items(
      "meta.jsonl",
      Array(
        ("{\"main_category\":\"All\",\"title\":\"Mug\",\"description\":[\"Blue.\",\"350 ml\"],\"categories\":[[\"Home\",\"Kitchen\"]],\"details\":{\"a\":1},\"parent_asin\":\"P1\",\"price\":7.5}\n"
          + "{\"title\":\"Cup\",\"description\":[],\"categories\":[\"Home\"],\"parent_asin\":\"P2\",\"price\":null}\n")
          .utf8))
    #expect(products.ids.strings == ["P1", "P2"])
    #expect(products.texts == ["Mug. Blue. 350 ml. Home, Kitchen", "Cup. Home"])
    #expect(products.features?.column(named: "categories")?.values == ["Home|Kitchen", "Home"])
    #expect(products.features?.column(named: "price")?.values == ["7.5", ""])
  }

  @Test func usersOfMovieLens() throws {
    let folder = try TemporaryFolder()
    let table = try UserTable.load(from: try folder.file("users.dat", "1::F::1::10::48067\n"))
    #expect(table.ids.strings == ["1"])
    #expect(table.features?.column(named: "gender")?.values == ["F"])
    let old = try UserTable.load(from: try folder.file("u.user", "1|24|M|technician|85711\n"))
    #expect(old.features?.column(named: "occupation")?.values == ["technician"])
  }

  @Test("A folder stands for the file of a known name in it, and items are found beside behaviours")
  func folders() throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("ratings.dat", "1::7::5::9\n")
    _ = try folder.file("movies.dat", "7::Heat (1995)::Crime\n")
    let items = try ItemTable.find(forBehaviors: folder.url, items: nil)
    #expect(items.texts == ["Heat (1995). Crime"])
    let (rows, _) = try Behaviors.load(path: folder.url.path, itemIDs: items.ids)
    #expect(rows.labels == [5])
    let empty = try TemporaryFolder()
    #expect(throws: DatasetError.self) {
      try Behaviors.load(path: empty.url.path, itemIDs: nil)
    }
  }

  @Test func reviewsAreNotTheItemsTexts() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file(
      "r.csv", "user_id,asin,rating,text,helpful_vote\nA,B,5,I like it,0\n")
    #expect(throws: DatasetError.self) { try ItemTable.find(forBehaviors: url, items: nil) }
  }

  @Test func namedColumnsWithoutAHeader() throws {
    var options = TableOptions()
    options.columns = ["item_id", "user_id", "rating", "timestamp"]
    let (rows, _) = try behaviors("Books.csv", "B1,A,5.0,1\nB2,A,2.0,2\n", options)
    #expect(rows.items.strings == ["B1", "B2"] && rows.labels == [5, 2])
    options.isImplicit = true
    #expect(try behaviors("Books.csv", "B1,A,0.0,1\n", options).0.labels == [1])
  }

  @Test("Malformed rows name the layout and the line")
  func malformed() throws {
    let error = #expect(throws: DatasetError.self) {
      try behaviors("r.dat", "1::2::3::4\n1::2::3\n")
    }
    #expect(error?.line == 2 && error?.what.contains("3 fields instead of the 4") == true)
    let json = #expect(throws: DatasetError.self) {
      try behaviors("r.jsonl", "{\"user\":1,\"item\":2}\n{'user':1}\n")
    }
    #expect(json?.line == 2)
    let label = #expect(throws: DatasetError.self) {
      try behaviors("r.jsonl", "{\"user\":1,\"item\":2,\"label\":\"x\"}\n{\"user\":1,\"item\":2}\n")
    }
    #expect(label?.line == 1)
    var options = TableOptions()
    options.skipBadRows = true
    let (rows, _) = try behaviors(
      "r.jsonl", "{\"user\":1,\"item\":2}\n[]\n{\"user\":1,\"item\":3}\n", options)
    #expect(rows.items.strings == ["2", "3"])
  }

  @Test("Corpora are read from the same layouts")
  func corpora() throws {
    let folder = try TemporaryFolder()
    let films = try folder.file("movies.dat", "1::Heat (1995)::Crime\n")
    let read = try TextSource(films).readAll().batch
    #expect(read.texts == ["Heat (1995). Crime"] && read.ids == ["1"])
    let news = try folder.file("news.tsv", "N1\ta\tb\tTitle\tAbstract\thttps://x\t[]\t[]\n")
    #expect(try TextSource(news).readAll().batch.texts == ["Title. Abstract"])
  }
}

/// Lines that a reader told, in order.
private final class Notices: @unchecked Sendable {
  private let lock = NSLock()
  private var all: [String] = []
  var lines: [String] { lock.withLock { all } }
  func add(_ line: String) { lock.withLock { all.append(line) } }
}
