import Datasets
import Foundation
import Reporting

/// What the model learned from: rows, users, items, how behaviours spread, and the items' texts.
struct DataSections {
  let recommender: Recommender

  init(_ recommender: Recommender) { self.recommender = recommender }

  var sections: [Page.Section] { [.init("Data", [tiles, rows] + spread + texts)] }

  private var report: DataReport { recommender.report }

  private var tiles: Page.Block {
    .tiles([
      (grouped(report.rowsKept), "behaviours"), (grouped(report.positives), "of them positive"),
      (grouped(report.users), "users with behaviours"), (grouped(report.items), "items"),
      (grouped(report.items - report.itemsWithBehaviors), "items without behaviours"),
      (
        report.density >= 0.001
          ? percent(report.density, 2) : String(format: "%.2g%%", 100 * report.density),
        "of user-item pairs have a behaviour"
      ),
    ])
  }

  private var rows: Page.Block {
    var rows: [(String, String)] = [("rows read", grouped(report.rowsRead))]
    func add(_ count: Int, _ name: String) {
      if count > 0 { rows.append((name, grouped(count))) }
    }
    add(report.badRows, "malformed, left out")
    add(report.missingIDs, "without a user or an item, left out")
    add(report.missingLabels, "without a label, taken for 1")
    add(report.nonFiniteLabels, "label not finite, left out")
    add(report.missingTimestamps, "without a time, kept")
    add(report.unknownItemRows, "of items that the items file lacks, left out")
    add(report.outOfRangeLabels, "label out of range, left out")
    add(report.duplicates, "the same user and item again, left out")
    add(report.unratedLabels, "seen but not rated")
    add(report.implausibleUserRows, "of users with implausible activity, left out")
    add(report.implausibleItemRows, "of items with implausible activity, left out")
    add(report.coreRows, "of users or items with too few rows, left out")
    rows.append(("rows kept", grouped(report.rowsKept)))
    rows.append(("positive", report.positiveRule))
    if let range = report.timeRange, range.count == 2 {
      rows.append(("from", DataSections.date(range[0])))
      rows.append(("to", DataSections.date(range[1])))
    }
    return .table(
      Table(
        "What was read and what was left out", header: ["rows", "count"], isNumeric: false,
        rows.map { .init([$0.0, $0.1]) }))
  }

  private static func date(_ seconds: Double) -> String {
    guard abs(seconds) < 1e11 else { return "\(seconds)" }
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withFullDate]
    return formatter.string(from: Date(timeIntervalSince1970: seconds))
  }

  /// The long tail, and the lengths of histories.
  private var spread: [Page.Block] {
    let items = recommender.space.counts.prefix(recommender.trainedItemCount).map { Int($0) }
    let users = (0..<recommender.histories.rowCount).map {
      recommender.histories.columns(ofRow: $0).count
    }
    var blocks: [Page.Block] = []
    let warm = items.filter { $0 > 0 }.sorted(by: >)
    if warm.count > 1 { blocks.append(longTail(warm)) }
    var figures: [(chart: any Chart, caption: String)] = []
    for (counts, name) in [(items, "items"), (users.filter { $0 > 0 }, "users")] {
      let bars = DataSections.powers(counts)
      guard !bars.isEmpty else { continue }
      figures.append(
        (
          BarChart(
            "How many \(name) have how many positive behaviours",
            x: "positive behaviours", y: name, bars), "\(name.capitalized) by behaviours"
        ))
    }
    if report.hasLabels, report.labels.count > 1 {
      figures.append(
        (
          BarChart(
            "Rows by label", x: "label", y: "rows",
            report.labels.map { (name: "\($0.label)", value: Double($0.count)) }), "Labels"
        ))
    }
    if !figures.isEmpty { blocks.append(.figures(figures)) }
    return blocks
  }

  /// The share of behaviours that the most popular items have.
  private func longTail(_ counts: [Int]) -> Page.Block {
    let total = Double(counts.reduce(0, +))
    var (sum, shares) = (0, [Double]())
    for count in counts {
      sum += count
      shares.append(Double(sum) / total)
    }
    func share(_ part: Double) -> Double {
      shares[max(0, Int((part * Double(shares.count)).rounded()) - 1)]
    }
    let step = max(1, shares.count / 200)
    var points: [(x: Double, y: Double)] = [(0, 0)]
    for place in stride(from: 0, to: shares.count, by: step) {
      points.append((100 * Double(place + 1) / Double(shares.count), 100 * shares[place]))
    }
    points.append((100, 100))
    return .figure(
      LineChart(
        "The share of behaviours on the most popular items",
        x: "% of items with behaviours, the most popular first",
        y: "% of behaviours", includesZero: true, height: 240, [.init("behaviours", points)]),
      caption:
        "The long tail: the most popular tenth of the items has \(percent(share(0.1), 0)) of the "
        + "behaviours, the most popular half \(percent(share(0.5), 0))",
      Table(
        "Share of behaviours on the most popular items", header: ["items", "behaviours"],
        [0.01, 0.05, 0.1, 0.2, 0.5].map { .init([percent($0, 0), percent(share($0))]) }))
  }

  /// Counts in ranges that double: 0, 1, 2-3, 4-7, ...
  static func powers(_ counts: [Int]) -> [(name: String, value: Double)] {
    guard let largest = counts.max() else { return [] }
    func place(_ count: Int) -> Int { count == 0 ? 0 : Int.bitWidth - count.leadingZeroBitCount }
    var totals = [Int](repeating: 0, count: place(largest) + 1)
    for count in counts { totals[place(count)] += 1 }
    let first = totals.firstIndex { $0 > 0 } ?? 0
    return (first..<totals.count).map { place in
      let low = place == 0 ? 0 : 1 << (place - 1)
      let high = place == 0 ? 0 : (1 << place) - 1
      return (name: low == high ? "\(low)" : "\(low)-\(high)", value: Double(totals[place]))
    }
  }

  private var texts: [Page.Block] {
    let words = recommender.items.texts.prefix(recommender.trainedItemCount).map { text in
      text.unicodeScalars.split { $0.properties.isWhitespace }.count
    }
    let statistics = report.texts
    let empty = statistics?.empty ?? 0
    return [
      .group(
        "Texts of the items",
        [
          .tiles([
            (
              percent(recommender.metrics.unknownShare, 2),
              "of the pieces are unknown to the vocabulary"
            ),
            (grouped(empty), "items without text"),
            (grouped(statistics?.duplicates ?? 0), "items whose text another one has too"),
            (
              "\(statistics.map { $0.wordQuantiles.count == 7 ? $0.wordQuantiles[3] : 0 } ?? 0)",
              "words in a text, the median"
            ),
          ]),
          .figures([
            (
              BarChart(
                "How many items have texts of how many words", x: "words in a text", y: "items",
                DataSections.powers(words)), "Lengths of the texts"
            )
          ]),
        ])
    ]
  }
}
