import Datasets
import Kernels
import Reporting

/// What some users are shown of the new items, and which known items those are nearest to.
struct SampleLists {
  let recommender: Recommender
  let split: EvaluationSplit?
  let workers: Workers
  static let users = 4
  static let places = 5

  init(_ recommender: Recommender, _ split: EvaluationSplit?, workers: Workers) {
    self.recommender = recommender
    self.split = split
    self.workers = workers
  }

  var section: Page.Section {
    get throws {
      let counts = recommender.space.counts
      let new = counts.indices.filter { counts[$0] == 0 }.map { Int32($0) }
      let warm = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
      let users = chosenUsers
      guard !new.isEmpty, !warm.isEmpty, !users.isEmpty else {
        return .init("New items for some users")
      }
      let requests = try recommender.requests(
        users: users, names: users.map { recommender.users[Int($0)] }, newer: [])
      let lists = try recommender.rank(
        requests.histories, userFeatures: requests.features, k: SampleLists.places,
        candidates: new, workers: workers)
      let listed = Set(lists.allItems).sorted()
      let near = Neighbours.find(
        recommender.space.white, queries: listed, candidates: warm, k: 2, workers: workers)
      var place: [Int32: Int] = [:]
      for (row, item) in listed.enumerated() { place[item] = row }
      var blocks: [Page.Block] = [
        .text(
          "Users stand without their ids. The nearest known items are those with the most similar texts, "
            + "by the encoder's whitened vectors.")
      ]
      for (row, user) in users.enumerated() {
        let history = recommender.histories.columns(ofRow: Int(user))
        let held = heldOut(of: user)
        blocks.append(
          .group(
            "User \(row + 1), \(grouped(history.count)) behaviours",
            [
              .text(
                "Among them: "
                  + history.prefix(4).map { text($0, 60) }.joined(separator: "; ") + "."),
              .table(
                Table(
                  "New items for user \(row + 1), best first",
                  header: ["", "new item", "nearest known items"]
                    + (held == nil ? [] : ["held-out behaviour"]), isNumeric: false,
                  lists.items(ofRow: row).enumerated().map { rank, item in
                    let neighbours = place[item].map { near.lists.items(ofRow: $0) } ?? []
                    return .init(
                      [
                        "\(rank + 1)", text(item, 90),
                        neighbours.map { text($0, 60) }.joined(separator: "; "),
                      ] + (held.map { [$0.contains(item) ? "yes" : "\u{2013}"] } ?? []))
                  })),
            ]))
      }
      return .init("New items for some users", blocks)
    }
  }

  private func text(_ item: Int32, _ limit: Int) -> String {
    let text = recommender.items.texts[Int(item)]
    return shortened(text.isEmpty ? recommender.items.ids[Int(item)] : text, to: limit)
  }

  /// Users with a history of some length, by the hash of their ids; where there are held-out behaviours
  /// on new items, users that have some.
  private var chosenUsers: [Int32] {
    let eligible = (0..<recommender.users.count).filter { user in
      recommender.histories.columns(ofRow: user).count >= 3
        && (isInner || !(heldOut(of: Int32(user))?.isEmpty ?? false))
    }
    let hashes = eligible.map { (portableHash("sample|\(recommender.users[$0])"), Int32($0)) }
    return hashes.sorted { $0 < $1 }.prefix(SampleLists.users).map(\.1)
  }

  /// New items of the model are those of a real split only; inside fine-tuning others played new.
  private var isInner: Bool { split?.info == nil }

  /// Held-out positives of a user on new items; nil where there is no split to tell.
  private func heldOut(of user: Int32) -> Set<Int32>? {
    guard let split, !isInner else { return nil }
    let row = recommender.users.withBytes(of: Int(user)) { split.users.index(of: $0) }
    return row.map { Set(split.coldPositives.columns(ofRow: $0)) } ?? []
  }
}

extension RankedLists {
  /// The items of all lists.
  fileprivate var allItems: [Int32] { (0..<rowCount).flatMap { Array(items(ofRow: $0)) } }
}
