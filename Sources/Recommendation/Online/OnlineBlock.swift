import Kernels

/// Items that came after training, side by side, ready to be scored.
///
/// They stand in parts of up to ``partSize``: a block with one more item shares all parts but the last.
public final class OnlineBlock: Sendable {
  /// The most items of a part; all parts but the last are full.
  static let partSize = 256

  /// The items by part.
  let parts: [Part]
  /// The number of items.
  public let count: Int

  /// Items side by side.
  final class Part: Sendable {
    let items: [OnlineItem]
    let white: DenseMatrix
    let towers: DenseMatrix
    let factors: DenseMatrix
    let textNeighbours: Sparse
    let wordNeighbours: Sparse
    let wordCosines: Sparse
    let kernelWeights: Sparse

    init(_ items: [OnlineItem]) {
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
  }

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
  public convenience init(_ items: [OnlineItem]) {
    let size = OnlineBlock.partSize
    self.init(
      parts: stride(from: 0, to: items.count, by: size).map {
        Part(Array(items[$0..<min($0 + size, items.count)]))
      })
  }

  private init(parts: [Part]) {
    self.parts = parts
    count = parts.reduce(0) { $0 + $1.items.count }
  }

  /// The item at a place.
  public subscript(place: Int) -> OnlineItem {
    parts[place / OnlineBlock.partSize].items[place % OnlineBlock.partSize]
  }

  /// The block with other items at some places, ascending; those from ``count`` on are new, without a gap.
  ///
  /// Costs what the parts cost in which something changes.
  public func changing(_ changes: [(place: Int, item: OnlineItem)]) -> OnlineBlock {
    guard !changes.isEmpty else { return self }
    let size = OnlineBlock.partSize
    var parts = parts
    var next = 0
    while next < changes.count {
      let part = changes[next].place / size
      var items = part < parts.count ? parts[part].items : []
      while next < changes.count, changes[next].place / size == part {
        let (place, item) = (changes[next].place % size, changes[next].item)
        precondition(place <= items.count, "a gap before item \(changes[next].place)")
        if place == items.count { items.append(item) } else { items[place] = item }
        next += 1
      }
      if part < parts.count { parts[part] = Part(items) } else { parts.append(Part(items)) }
    }
    return OnlineBlock(parts: parts)
  }
}
