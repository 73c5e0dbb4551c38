import Datasets
import Foundation
import Kernels
import Recommendation

/// What `encoder recommend` does with a loaded model.
struct RecommendationJob {
  let command: RecommendCommand
  var recommender: Recommender
  private var workers: Workers { command.shared.workers }

  init(command: RecommendCommand, recommender: Recommender) {
    self.command = command
    self.recommender = recommender
  }

  func run() throws {
    var model = recommender
    if let path = command.newItems {
      try model.addItems(
        ItemTable.load(from: URL(fileURLWithPath: path), options: command.columns.options),
        vectors: command.itemVectors.map {
          try ItemVectors.load(from: URL(fileURLWithPath: $0))
        }, workers: workers)
    }
    var candidates = try candidates(model)
    let requests =
      command.like.isEmpty
      ? try userRequests(model) : try model.requests(like: command.like, workers: workers)
    if !command.like.isEmpty {
      // The texts themselves stand in the catalogue while they are asked about.
      model = requests.model
      candidates = candidates.filter { Int($0) < requests.itemCount }
    }
    let lists = try model.rank(
      requests.histories, userFeatures: requests.features, k: command.top,
      candidates: candidates, excluding: command.includeSeen ? nil : requests.histories,
      reranking: try MaximalMarginalRelevance(diversity: command.diversity), workers: workers)
    if command.explain {
      try writeReasons(lists, requests, model)
    } else {
      try write(lists, names: requests.names, model)
    }
  }

  private func write(
    _ lists: [[RankedLists.Element]], names: [String], _ model: Recommender
  ) throws {
    try output { writer in
      var csv = CSVText()
      csv.row(["user_id", "rank", "item_id", "score"])
      for (row, list) in lists.enumerated() {
        for (rank, element) in list.enumerated() {
          csv.row([
            names[row], String(rank + 1), model.items.ids[Int(element.item)],
            String(format: "%.6g", element.score),
          ])
        }
        if csv.count > 1 << 20 { try csv.flush(writer) }
      }
      try csv.flush(writer)
    }
  }

  /// A recommendation with its reasons, as a line of JSON has it.
  private struct ReasonLine: Encodable {
    let user: String
    let rank: Int
    let text: String
    let reasons: NamedExplanation

    enum CodingKeys: String, CodingKey {
      case user = "user_id"
      case rank, text
    }

    func encode(to encoder: any Encoder) throws {
      try reasons.encode(to: encoder)
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(user, forKey: .user)
      try values.encode(rank, forKey: .rank)
      try values.encode(text, forKey: .text)
    }
  }

  private func writeReasons(
    _ lists: [[RankedLists.Element]], _ requests: RecommendationRequests, _ model: Recommender
  ) throws {
    let explainer = Explainer(model, workers: workers)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try output { writer in
      for (row, list) in lists.enumerated() {
        let reasons = try explainer.explain(
          list.map(\.item), histories: requests.histories, row: row,
          userFeatures: requests.features)
        var lines = CSVText()
        for (rank, reason) in reasons.enumerated() {
          let line = ReasonLine(
            user: requests.names[row], rank: rank + 1,
            text: model.items.texts[Int(reason.item)], reasons: reason.named(in: model))
          lines.line(String(decoding: try encoder.encode(line), as: UTF8.self))
        }
        try lines.flush(writer)
      }
    }
  }

  /// Runs `body` with the output file, or with nil for standard output.
  private func output(_ body: (FileWriter?) throws -> Void) throws {
    if let output = command.output {
      try AtomicFile.write(to: URL(fileURLWithPath: output)) { try body($0) }
    } else {
      try body(nil)
    }
  }

  /// The items that may be listed, ascending.
  private func candidates(_ model: Recommender) throws -> [Int32] {
    let all = (0..<Int32(model.items.count)).map { $0 }
    var chosen: [Int32]
    switch command.candidates {
    case "all": chosen = all
    case "warm": chosen = all.filter { model.space.counts[Int($0)] > 0 }
    case "cold": chosen = all.filter { model.space.counts[Int($0)] == 0 }
    default: chosen = try listed(command.candidates, model)
    }
    for filter in command.filters { chosen = try filtered(chosen, by: filter, model) }
    guard !chosen.isEmpty else {
      throw CLIError(
        "no item is left to recommend: --candidates \(command.candidates)"
          + (command.filters.isEmpty ? "" : " with --where") + "; allow more items")
    }
    return chosen
  }

  private func listed(_ path: String, _ model: Recommender) throws -> [Int32] {
    var chosen: Set<Int32> = []
    var line = 0
    var options = TextSource.Options()
    options.format = .lines
    try TextSource(path: path, options: options).forEachBatch { batch in
      for id in batch.texts {
        line += 1
        if id.isEmpty { continue }
        guard let index = model.items.ids.index(of: id) else {
          throw CLIError(
            "the catalogue has no item \(id): \(path):\(line); correct it, or add it with --new-items"
          )
        }
        chosen.insert(Int32(index))
      }
    }
    return chosen.sorted()
  }

  private func filtered(
    _ items: [Int32], by filter: String, _ model: Recommender
  ) throws -> [Int32] {
    let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    guard let column = model.items.features?.column(named: name) else {
      let names = model.items.features?.columns.map(\.name).joined(separator: ", ") ?? "none"
      throw CLIError("the items have no column \(name): --where \(filter); they have \(names)")
    }
    return items.filter { item in
      let whole = column.values[Int(item)]
      return whole.utf8.elementsEqual(value.utf8)
        || whole.split(separator: "|").contains { $0.utf8.elementsEqual(value.utf8) }
    }
  }

  /// The histories of the users that were asked for.
  private func userRequests(_ model: Recommender) throws -> RecommendationRequests {
    var users = model.users
    var newer: [(user: Int32, item: Int32)] = []
    if let path = command.behaviors {
      let (rows, _) = try Behaviors.load(
        path: path, itemIDs: model.items.ids, options: command.columns.options, users: users)
      users = rows.users
      for row in 0..<rows.count where model.rule.isPositive(rows.labels[row]) {
        newer.append((rows.userIndex[row], rows.itemIndex[row]))
      }
    }
    let chosen: [Int32] =
      command.allUsers
      ? (0..<Int32(users.count)).map { $0 }
      : try command.user.map { id in
        guard let index = users.index(of: id) else {
          throw CLIError(
            "the model doesn't know user \(id): --user; give the user's behaviours with --behaviors, "
              + "or ask with --like")
        }
        return Int32(index)
      }
    return try model.requests(
      users: chosen, names: chosen.map { users[Int($0)] }, newer: newer)
  }
}

/// Rows of a CSV, or lines of JSON, on their way to a file or to standard output.
struct CSVText {
  private var text = ""
  var count: Int { text.utf8.count }

  mutating func row(_ fields: [String]) {
    text += fields.map(CSVText.quoted).joined(separator: ",")
    text += "\n"
  }

  mutating func line(_ line: String) { text += line + "\n" }

  mutating func flush(_ file: FileWriter?) throws {
    if let file {
      try file.write(text)
    } else {
      try StandardOutput.write(Array(text.utf8))
    }
    text = ""
  }

  private static func quoted(_ field: String) -> String {
    let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13]
    let needs = field.utf8.contains { special.contains($0) }
    return needs ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }
}
