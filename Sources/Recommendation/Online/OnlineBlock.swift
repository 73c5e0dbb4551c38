import Kernels

/// Items that came after training, side by side, ready to be scored.
public final class OnlineBlock: Sendable {
  /// The items.
  public let items: [OnlineItem]
  let white: DenseMatrix
  let towers: DenseMatrix
  let factors: DenseMatrix
  let textNeighbours: Sparse
  let wordNeighbours: Sparse
  let wordCosines: Sparse
  let kernelWeights: Sparse

  /// Weights of catalogue items, row by row.
  struct Sparse: Sendable {
    var offsets: [Int] = [0]
    var items: [Int32] = []
    var weights: [Float] = []

    init(_ rows: [[OnlineItem.Weighted]]) {
      for row in rows {
        for entry in row {
          items.append(entry.item)
          weights.append(entry.weight)
        }
        offsets.append(items.count)
      }
    }
  }

  /// Puts items side by side.
  public init(_ items: [OnlineItem]) {
    self.items = items
    func dense(_ row: (OnlineItem) -> [Float]) -> DenseMatrix {
      let width = items.first.map { row($0).count } ?? 0
      var values: [Float] = []
      values.reserveCapacity(items.count * width)
      for item in items { values.append(contentsOf: row(item)) }
      return DenseMatrix(rowCount: items.count, columnCount: width, values: values)
    }
    white = dense(\.white)
    towers = dense(\.tower)
    factors = dense(\.factors)
    textNeighbours = Sparse(items.map(\.textNeighbours))
    wordNeighbours = Sparse(items.map(\.wordNeighbours))
    wordCosines = Sparse(items.map(\.wordCosines))
    kernelWeights = Sparse(items.map(\.kernelWeights))
  }

  /// The number of items.
  public var count: Int { items.count }
}
