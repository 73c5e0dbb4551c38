import RealModule

/// Why a TF-IDF model can't be fitted or restored.
public enum TFIDFError: Error, Equatable, CustomStringConvertible {
  /// No term occurs in enough texts, but not in too many.
  case noTerms(texts: Int, distinct: Int)
  /// The stored terms and weights don't fit together.
  case stored(terms: Int, weights: Int)
  /// A stored term is there twice.
  case repeated(term: String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .noTerms(let texts, let distinct):
      "no TF-IDF vocabulary: of \(distinct) distinct terms in \(texts) texts none is frequent enough "
        + "and in few enough of them; lower the least number of texts, or cut texts into characters"
    case .stored(let terms, let weights):
      "a stored TF-IDF model has \(terms) terms but \(weights) weights; the file is damaged"
    case .repeated(let term):
      "a stored TF-IDF model has the term \"\(term)\" twice; the file is damaged"
    }
  }
}

/// Texts as sparse vectors of term weights: terms that are frequent in a text and rare elsewhere weigh
/// most, and vectors have length 1.
///
/// The weight of a term is (1 + ln count) * (ln((1 + texts) / (1 + texts with the term)) + 1), as in
/// scikit-learn's TfidfVectorizer(sublinear_tf=True); columns are terms in byte order.
public struct TFIDF: Sendable {
  /// The choices of ``TFIDF``; the defaults are `stop_words="english", max_df=0.5`,
  /// `max_features=50000`, and `min_df=2` or 1 for at most 50 texts.
  public struct Options: Sendable, Equatable, Codable {
    /// How texts are cut.
    public var analysis: TextAnalysis = .words(stopWords: true)
    /// Terms in fewer texts are left out; `nil` takes 2, or 1 for at most 50 texts.
    public var minimumTexts: Int? = nil
    /// Terms in more than this share of the texts are left out.
    public var maximumShare: Double = 0.5
    /// Only so many terms are kept, by how often they occur, then in byte order.
    public var maximumTerms: Int = 50_000
    /// Whether a count enters as 1 + ln count.
    public var sublinear: Bool = true

    /// Creates the default choices.
    public init() {}
  }

  /// The choices of the fit.
  public let options: Options
  /// The inverse document frequency of each term.
  public let weights: [Float]
  private let table: TermTable

  /// Restores a stored model.
  ///
  /// - Throws: ``TFIDFError/stored(terms:weights:)`` or ``TFIDFError/repeated(term:)``.
  public init(options: Options, terms: [String], weights: [Float]) throws {
    guard terms.count == weights.count else {
      throw TFIDFError.stored(terms: terms.count, weights: weights.count)
    }
    var table = TermTable()
    for (n, term) in terms.enumerated() {
      let number = Array(term.utf8).withUnsafeBufferPointer { table.insert($0) }
      guard number == n else { throw TFIDFError.repeated(term: term) }
    }
    self.init(options, table, weights)
  }

  private init(_ options: Options, _ table: TermTable, _ weights: [Float]) {
    self.options = options
    self.table = table
    self.weights = weights
  }

  /// The number of terms, which is the width of the vectors.
  public var termCount: Int { table.count }

  /// All terms, in the order of the columns.
  public var terms: [String] { (0..<table.count).map { term($0) } }

  /// One term.
  public func term(_ column: Int) -> String { String(decoding: table[column], as: UTF8.self) }

  /// Fits a model to texts and returns it with their vectors, (texts.count, termCount).
  ///
  /// - Throws: ``TFIDFError/noTerms(texts:distinct:)``.
  public static func fit(
    _ texts: [String], options: Options = Options()
  ) throws -> (model: TFIDF, vectors: SparseMatrix) {
    var counts = TermCounts()
    var analyzer = TextAnalyzer(options.analysis)
    for text in texts { counts.addText(text, with: &analyzer) }

    let least = options.minimumTexts ?? (texts.count > 50 ? 2 : 1)
    let most = options.maximumShare * Double(texts.count)
    let usage = counts.usage()
    var kept = (0..<counts.table.count).filter {
      usage.texts[$0] >= least && Double(usage.texts[$0]) <= most
    }
    guard !kept.isEmpty, options.maximumTerms > 0 else {
      throw TFIDFError.noTerms(texts: texts.count, distinct: counts.table.count)
    }
    let all = counts.table
    kept.sort { all[$0].lexicographicallyPrecedes(all[$1]) }
    if kept.count > options.maximumTerms {
      let byUse = kept.indices.sorted {
        (usage.occurrences[kept[$0]], $1) > (usage.occurrences[kept[$1]], $0)
      }
      kept = byUse.prefix(options.maximumTerms).sorted().map { kept[$0] }
    }

    var table = TermTable()
    var place = [Int32](repeating: -1, count: all.count)
    for (n, term) in kept.enumerated() {
      place[term] = Int32(n)
      Array(all[term]).withUnsafeBufferPointer { _ = table.insert($0) }
    }
    let weights = kept.map {
      Float(Double.log(Double(1 + texts.count) / Double(1 + usage.texts[$0])) + 1)
    }
    let model = TFIDF(options, table, weights)
    return (model, model.vectors(counts, place: place))
  }

  /// The vectors of other texts, (texts.count, termCount); terms the fit didn't keep don't count, and
  /// a text without any has a zero vector.
  public func transform(_ texts: [String]) -> SparseMatrix {
    var counts = TermCounts(table: table, isClosed: true)
    var analyzer = TextAnalyzer(options.analysis)
    for text in texts { counts.addText(text, with: &analyzer) }
    return vectors(counts, place: (0..<Int32(table.count)).map { $0 })
  }

  /// Counts to weights; `place` names the column of each counted term, or -1.
  private func vectors(_ counts: TermCounts, place: [Int32]) -> SparseMatrix {
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    var row: [(column: Int32, value: Double)] = []
    for text in 0..<counts.textCount {
      row.removeAll(keepingCapacity: true)
      var squares = 0.0
      for n in counts.offsets[text]..<counts.offsets[text + 1] {
        let column = place[Int(counts.terms[n])]
        if column < 0 { continue }
        let count = Double(counts.counts[n])
        let frequency = options.sublinear ? 1 + Double.log(count) : count
        row.append((column, frequency * Double(weights[Int(column)])))
      }
      row.sort { $0.column < $1.column }
      for entry in row { squares += entry.value * entry.value }
      let scale = squares > 0 ? 1 / squares.squareRoot() : 0
      for entry in row {
        columns.append(entry.column)
        values.append(Float(entry.value * scale))
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: counts.textCount, columnCount: table.count, offsets: offsets,
      columns: columns, values: values)
  }
}
