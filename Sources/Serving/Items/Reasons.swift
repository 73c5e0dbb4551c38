import Datasets
import Kernels
import Recommendation
import Tokenization

/// Makes reasons for scores: a recommender that has, beside the training catalogue, those later items that the reasons
/// are about.
///
/// Only these are appended, so that it costs the same however many items came since: a copy of what the training
/// catalogue's rows take. That of the last items asked about is kept.
struct Reasons {
  /// A text that isn't an item, with its vectors.
  typealias Described = (record: ItemRecord, item: OnlineItem)

  private let catalogue: Catalogue
  private let recommender: Recommender
  /// Places of the later items, ascending: their rows in the recommender follow the catalogue's.
  private let later: [Int32]
  private let text: Described?

  /// Prepares reasons about some places of a catalogue and about a text.
  ///
  /// - Throws: `RecommenderError` for a text with the id of an item.
  init(_ catalogue: Catalogue, items: [Int32], text: Described?) throws {
    self.catalogue = catalogue
    self.text = text
    later = Set(items.filter { Int($0) >= catalogue.trainedCount }).sorted()
    let later = later
    if text == nil, let known = catalogue.explained.withLock({ $0?.items == later ? $0 : nil }) {
      recommender = known.recommender
      return
    }
    let records = later.map { catalogue.record($0) } + (text.map { [$0.record] } ?? [])
    let columns = catalogue.online.recommender.items.features?.columns.map(\.name) ?? []
    let made = try catalogue.online.recommender(
      adding: later.map { catalogue.vectors($0) } + (text.map { [$0.item] } ?? []),
      ItemTable(
        ids: IDTable(records.map(\.id)), texts: records.map(\.text),
        features: columns.isEmpty
          ? nil
          : FeatureTable(
            columns: columns.map { name in
              .init(name: name, values: records.map { $0.feature(name) ?? "" })
            }, rowCount: records.count)))
    recommender = made
    if text == nil, !later.isEmpty { catalogue.explained.withLock { $0 = (later, made) } }
  }

  /// The text's row.
  private var textRow: Int32 { Int32(catalogue.trainedCount + later.count) }

  private func row(_ place: Int32) -> Int32 {
    guard Int(place) >= catalogue.trainedCount, let n = later.firstIndex(of: place) else {
      return place
    }
    return Int32(catalogue.trainedCount + n)
  }

  /// Reasons for items, in their order.
  ///
  /// - Parameters:
  ///   - history: places with weights, ascending.
  ///   - withText: whether the text stands in the history, too.
  /// - Throws: what `Explainer` throws.
  func explain(
    _ items: [Int32], to history: [(Int32, Float)], withText: Bool, features: [Float]?
  ) throws -> [JSONValue] {
    try explain(
      rows: items.map(row),
      to: history.map { (row($0.0), $0.1) } + (withText ? [(textRow, Float(1))] : []), features)
  }

  /// Reasons for the text.
  ///
  /// - Throws: what `Explainer` throws.
  func explainText(to history: [Int32], features: [Float]?) throws -> JSONValue {
    try explain(rows: [textRow], to: history.sorted().map { (row($0), Float(1)) }, features)[0]
  }

  private func explain(
    rows: [Int32], to history: [(Int32, Float)], _ features: [Float]?
  ) throws -> [JSONValue] {
    let histories = try SparseMatrix(
      rowCount: 1, columnCount: recommender.items.count, offsets: [0, history.count],
      columns: history.map(\.0), values: history.map(\.1))
    let explanations = try Explainer(recommender, workers: Workers(count: 1)).explain(
      rows, histories: histories, row: 0,
      userFeatures: features.map {
        DenseMatrix(rowCount: 1, columnCount: $0.count, values: $0)
      })
    return explanations.map(json)
  }

  /// The id and the text of a row; a text that is no item has no id.
  private func shown(_ row: Int32) -> (id: JSONValue, text: String) {
    if let text, row == textRow { return (.null, text.record.text) }
    let n = Int(row) - catalogue.trainedCount
    let place = n >= 0 ? later[n] : row
    return (.string(catalogue.id(place)), catalogue.text(place))
  }

  private func json(_ explanation: Explanation) -> JSONValue {
    [
      "parts": .array(
        explanation.parts.map {
          [
            "name": .string($0.part.rawValue), "weight": .float($0.weight),
            "score": .float($0.score), "contribution": .float($0.contribution),
          ]
        }),
      "shift": .float(explanation.shift), "tower_score": .float(explanation.towerScore),
      "history": .array(
        explanation.history.map {
          let item = shown($0.item)
          return [
            "item_id": item.id, "text": .string(item.text), "similarity": .float($0.similarity),
            "contribution": .float($0.contribution), "share": .float($0.share),
            "effect": $0.effect.map { .float($0) } ?? .null,
          ]
        }),
      "words": .array(
        explanation.words.map {
          [
            "word": .string($0.word), "attribution": .float($0.attribution),
            "effect": $0.effect.map { .float($0) } ?? .null,
          ]
        }),
    ]
  }
}
