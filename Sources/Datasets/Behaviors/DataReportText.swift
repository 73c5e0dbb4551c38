import Foundation

extension DataReport {
  /// The report as plain lines of text; counts of things that didn't happen are left out.
  public var text: String {
    var lines = ["rows read            \(rowsRead)"]
    func add(_ count: Int, _ name: String) {
      if count > 0 { lines.append("  \(name): \(count)") }
    }
    add(badRows, "malformed, left out")
    if let firstBadRow { lines.append("    the first: \(firstBadRow)") }
    add(missingIDs, "without a user or an item, left out")
    add(missingLabels, "without a label, taken for 1")
    add(nonFiniteLabels, "label not finite, left out")
    add(missingTimestamps, "without a time, kept")
    if unknownItemRows > 0 {
      lines.append("  of \(unknownItems) unknown items, left out: \(unknownItemRows)")
    }
    add(outOfRangeLabels, "label out of range, left out")
    add(duplicates, "the same user and item again, left out")
    add(unratedLabels, "seen but not rated")
    if implausibleUsers > 0 {
      lines.append(
        "  of \(implausibleUsers) users with implausible activity, left out: \(implausibleUserRows)"
      )
    }
    if implausibleItems > 0 {
      lines.append(
        "  of \(implausibleItems) items with implausible activity, left out: \(implausibleItemRows)"
      )
    }
    add(coreRows, "below the k-core, left out")
    lines.append("rows kept            \(rowsKept)")
    lines.append("users                \(users)")
    lines.append("items                \(items), \(itemsWithBehaviors) with behaviours")
    lines.append("density              \(String(format: "%.3g", density * 100))%")
    lines.append("positives            \(positives): \(positiveRule)")
    lines.append("labels               \(labelLine)")
    if let texts { lines += textLines(texts) }
    return lines.joined(separator: "\n") + "\n"
  }

  private var labelLine: String {
    if !hasLabels { return "none: each row counts as 1" }
    return labels.map { entry in
      let label = shortText(decimal(entry.label))
      let upper = entry.upperBound.map { "..\(shortText(decimal($0)))" } ?? ""
      return "\(label)\(upper): \(entry.count)"
    }.joined(separator: ", ")
  }

  private func textLines(_ texts: TextStatistics) -> [String] {
    let quantiles = texts.wordQuantiles.map { "\($0)" }.joined(separator: " ")
    let share = items > 0 ? 100 * Double(texts.empty) / Double(items) : 0
    return [
      "words a text         \(quantiles) (0, 5, 25, 50, 75, 95, 100%)",
      "items without text   \(texts.empty) (\(String(format: "%.1f", share))%)",
      "repeated texts       \(texts.duplicates)",
    ]
  }
}
