extension DataReport {
  /// Fills what remains after cleaning: users, items, positives, density, labels, times.
  public mutating func describe(_ behaviors: Behaviors, positive: PositiveRule) {
    rowsKept = behaviors.count
    users = counts(behaviors.userIndex, behaviors.users.count).reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    items = behaviors.items.count
    itemsWithBehaviors = counts(behaviors.itemIndex, behaviors.items.count)
      .reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    positives = behaviors.labels.reduce(0) { $0 + (positive.isPositive($1) ? 1 : 0) }
    positiveRule = positive.reason
    let pairs = Double(users) * Double(itemsWithBehaviors)
    density = pairs > 0 ? Double(rowsKept) / pairs : 0
    labels = DataReport.histogram(behaviors.labels)
    let times = behaviors.timestamps?.filter { !$0.isNaN } ?? []
    timeRange = times.min().flatMap { low in times.max().map { [low, $0] } }
  }

  /// Fills what the items' texts are like.
  public mutating func describe(texts: [String]) {
    var seen = IDTable(minimumCapacity: texts.count)
    var words: [Int] = []
    var statistics = TextStatistics(wordQuantiles: [], empty: 0, duplicates: 0)
    for text in texts {
      let count = wordCount(text)
      if count == 0 {
        statistics.empty += 1
        continue
      }
      words.append(count)
      let before = seen.count
      seen.insert(text)
      if seen.count == before { statistics.duplicates += 1 }
    }
    words.sort()
    if !words.isEmpty {
      statistics.wordQuantiles = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1].map {
        words[Int((Double(words.count - 1) * $0).rounded())]
      }
    }
    self.texts = statistics
  }

  private static func histogram(_ labels: [Float]) -> [LabelCount] {
    let range = LabelRange(labels: labels)
    guard let low = labels.min(), let high = labels.max() else { return [] }
    if !range.isTruncated {
      var counts: [Float: Int] = [:]
      for label in labels { counts[label, default: 0] += 1 }
      return counts.keys.sorted().map {
        LabelCount(label: $0, upperBound: nil, count: counts[$0] ?? 0)
      }
    }
    let width = (Double(high) - Double(low)) / 10
    var counts = [Int](repeating: 0, count: 10)
    for label in labels { counts[min(9, Int((Double(label) - Double(low)) / width))] += 1 }
    return counts.indices.map {
      LabelCount(
        label: Float(Double(low) + Double($0) * width),
        upperBound: Float(Double(low) + Double($0 + 1) * width), count: counts[$0])
    }
  }
}

/// The number of parts between white space.
private func wordCount(_ text: String) -> Int {
  var count = 0
  var inside = false
  for scalar in text.unicodeScalars {
    let isSpace = scalar.properties.isWhitespace
    if !isSpace && !inside { count += 1 }
    inside = !isSpace
  }
  return count
}
