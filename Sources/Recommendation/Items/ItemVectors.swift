import Checkpoints
public import Datasets
public import Foundation

/// Vectors of items from elsewhere, of images or sounds for example, under a name.
public struct ItemVectors: Sendable {
  /// What they are called, for messages.
  public let name: String
  /// The items; row i of ``vectors`` belongs to id i.
  public let ids: IDTable
  /// The vectors.
  public let vectors: DenseMatrix

  /// Creates vectors; there is one for each id.
  public init(name: String, ids: IDTable, vectors: DenseMatrix) {
    precondition(ids.count == vectors.rowCount, "\(ids.count) ids for \(vectors.rowCount) vectors")
    self.name = name
    self.ids = ids
    self.vectors = vectors
  }

  /// Reads a `.npy` or `.safetensors` file with its ids, which stand in `NAME.ids.txt` beside it.
  ///
  /// - Throws: `CheckpointError` for a file that is missing or damaged, an id that stands twice, and a
  ///   value that isn't finite.
  public static func load(from url: URL) throws -> ItemVectors {
    let (table, names) = try VectorTable.readWithIDs(url)
    var ids = IDTable(minimumCapacity: names.count)
    for name in names {
      let before = ids.count
      ids.insert(name)
      guard ids.count > before else {
        throw CheckpointError(
          "the id stands twice", path: url.path, item: name, advice: "give one vector an item")
      }
    }
    guard table.width > 0, table.count > 0 else {
      throw CheckpointError("there are no vectors", path: url.path, advice: "give some")
    }
    if let place = table.values.firstIndex(where: { !$0.isFinite }) {
      throw CheckpointError(
        "the vector holds a value that isn't finite", path: url.path,
        item: names[place / table.width], advice: "correct it, or leave the item out")
    }
    return ItemVectors(
      name: url.deletingPathExtension().lastPathComponent, ids: ids,
      vectors: DenseMatrix(rowCount: table.count, columnCount: table.width, values: table.values))
  }
}

/// How a kind of item vectors becomes columns of the item tower's input: fitted on items with behaviours,
/// applied to all.
///
/// Each value loses the mean of its column, and all are divided by one number, the root of the mean
/// variance: the columns keep their proportions and have unit variance together. One column more says
/// whether the item has a vector; without one, all are 0.
public struct VectorBlock: Sendable, Codable, Equatable {
  /// What the vectors are called.
  public let name: String
  /// The mean of each column.
  public let mean: [Float]
  /// What the centred values are multiplied by.
  public let scale: Float

  /// Columns of the result.
  public var width: Int { mean.count + 1 }

  /// Fits the block to the vectors of the items with the numbers `rows` in `items`, or of all items with
  /// vectors when fewer than two of them have one.
  ///
  /// - Throws: ``RecommenderError`` when no item has a vector.
  static func fit(_ vectors: ItemVectors, items: IDTable, rows: [Int]) throws -> VectorBlock {
    func places(_ rows: [Int]) -> [Int] {
      rows.compactMap { row in items.withBytes(of: row) { vectors.ids.index(of: $0) } }
    }
    var found = places(rows)
    if found.count < 2 { found = places(Array(0..<items.count)) }
    guard !found.isEmpty else {
      throw RecommenderError(
        "none of the \(vectors.ids.count) item vectors belongs to an item: --item-vectors "
          + "\(vectors.name); check that the ids are those of the items file")
    }
    let width = vectors.vectors.columnCount
    var mean = [Double](repeating: 0, count: width)
    for place in found {
      for (d, value) in vectors.vectors.row(place).enumerated() { mean[d] += Double(value) }
    }
    for d in 0..<width { mean[d] /= Double(found.count) }
    var squares = 0.0
    for place in found {
      for (d, value) in vectors.vectors.row(place).enumerated() {
        squares += (Double(value) - mean[d]) * (Double(value) - mean[d])
      }
    }
    let deviation = (squares / Double(found.count * width)).squareRoot()
    return VectorBlock(
      name: vectors.name, mean: mean.map { Float($0) },
      scale: deviation > 1e-12 ? Float(1 / deviation) : 1)
  }

  /// Writes the columns of each item into `target` from column `column` on.
  func fill(
    _ target: inout DenseMatrix, column: Int, from vectors: ItemVectors, items: IDTable
  ) {
    for item in 0..<items.count {
      guard let place = items.withBytes(of: item, { vectors.ids.index(of: $0) }) else { continue }
      let row = vectors.vectors.row(place)
      for d in mean.indices {
        target[item, column + d] = (row[row.startIndex + d] - mean[d]) * scale
      }
      target[item, column + mean.count] = 1
    }
  }
}

extension Array where Element == VectorBlock {
  /// Columns of all blocks.
  var totalWidth: Int { reduce(0) { $0 + $1.width } }

  /// The columns of all blocks, (items, total width); nil without blocks.
  ///
  /// - Parameter vectors: those of each block, in order; none leaves all columns 0.
  /// - Throws: ``RecommenderError`` for another number of files or another width than in training.
  func rows(of vectors: [ItemVectors], for items: IDTable) throws -> DenseMatrix? {
    guard vectors.isEmpty || vectors.count == count else {
      throw RecommenderError(
        "\(vectors.count) files of item vectors where training had \(count) "
          + "(\(map(\.name).joined(separator: ", "))): --item-vectors; give them in the same order, "
          + "or none")
    }
    guard !isEmpty else { return nil }
    var result = DenseMatrix(rowCount: items.count, columnCount: totalWidth)
    var column = 0
    for (block, given) in zip(self, vectors) {
      guard given.vectors.columnCount == block.mean.count else {
        throw RecommenderError(
          "vectors of \(given.vectors.columnCount) values where training had "
            + "\(block.mean.count) (\(block.name)): --item-vectors \(given.name); "
            + "make them with the same model")
      }
      block.fill(&result, column: column, from: given, items: items)
      column += block.width
    }
    return result
  }
}

extension DenseMatrix {
  /// Two matrices side by side; one that is nil has no columns.
  static func beside(_ left: DenseMatrix?, _ right: DenseMatrix?) -> DenseMatrix? {
    guard let left else { return right }
    guard let right else { return left }
    precondition(left.rowCount == right.rowCount, "\(left.rowCount) and \(right.rowCount) rows")
    var values: [Float] = []
    values.reserveCapacity(left.values.count + right.values.count)
    for row in 0..<left.rowCount {
      values.append(contentsOf: left.row(row))
      values.append(contentsOf: right.row(row))
    }
    return DenseMatrix(
      rowCount: left.rowCount, columnCount: left.columnCount + right.columnCount, values: values)
  }
}
