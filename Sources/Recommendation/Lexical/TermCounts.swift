/// How often each term occurs in each text.
struct TermCounts {
  /// The terms met so far.
  private(set) var table: TermTable
  /// Text t has the entries `offsets[t]..<offsets[t + 1]` of `terms` and `counts`.
  private(set) var offsets = [0]
  private(set) var terms: [Int32] = []
  private(set) var counts: [Int32] = []
  /// The entry of each term in the current text, where it is at or after the text's start.
  private var places: [Int]
  /// Whether unknown terms are left out instead of added.
  private let isClosed: Bool

  init(table: TermTable = TermTable(), isClosed: Bool = false) {
    self.table = table
    self.isClosed = isClosed
    places = [Int](repeating: -1, count: table.count)
  }

  /// The number of texts counted.
  var textCount: Int { offsets.count - 1 }

  /// Counts the terms of one more text.
  mutating func addText(_ text: String, with analyzer: inout TextAnalyzer) {
    let start = terms.count
    analyzer.forEachTerm(in: text) { bytes in
      guard let term = isClosed ? table.find(bytes) : table.insert(bytes) else { return }
      if term == places.count { places.append(-1) }
      if places[term] >= start {
        counts[places[term]] += 1
      } else {
        places[term] = terms.count
        terms.append(Int32(term))
        counts.append(1)
      }
    }
    offsets.append(terms.count)
  }

  /// For each term, in how many texts it occurs and how often in all.
  func usage() -> (texts: [Int], occurrences: [Int]) {
    var texts = [Int](repeating: 0, count: table.count)
    var occurrences = texts
    for n in terms.indices {
      texts[Int(terms[n])] += 1
      occurrences[Int(terms[n])] += Int(counts[n])
    }
    return (texts, occurrences)
  }
}
