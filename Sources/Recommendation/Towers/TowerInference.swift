public import EncoderModel
public import Kernels

extension TowerNetwork {
  /// Item vectors for rows of inputs: (items, itemInputs) -> (items, width), unit rows.
  public func itemVectors(
    _ inputs: DenseMatrix, weights: ParameterStore<Float>, workers: Workers
  ) -> DenseMatrix {
    let (c, block) = (configuration, 1024)
    precondition(
      inputs.columnCount == c.itemInputs,
      "items have \(inputs.columnCount) inputs, the tower takes \(c.itemInputs)")
    var result = DenseMatrix(rowCount: inputs.rowCount, columnCount: c.width)
    inputs.withPointer { x in
      result.withMutablePointer { y in
        nonisolated(unsafe) let (x, y) = (x, y)
        workers.runRanges(inputs.rowCount) { _, rows in
          let arena = Arena<Float>(capacity: 0)
          for part in rows.evenParts(atMost: block) {
            let (start, count) = (part.lowerBound, part.count)
            arena.reset()
            let copy = arena.take(count * c.itemInputs)
            copy.update(from: x + start * c.itemInputs, count: count * c.itemInputs)
            let saved = item.forward(x: copy, rows: count, weights: weights, arena: arena)
            (y + start * c.width).update(from: saved.y, count: count * c.width)
          }
        }
      }
    }
    return result
  }

  /// User vectors for histories over item vectors: (users, items) -> (users, width), unit rows.
  ///
  /// `embeddingRows` gives each item's row in the history embeddings, or -1; `features` is
  /// (users, userInputs). Of long histories the last ``historyLimit`` entries count.
  public func userVectors(
    histories: SparseMatrix, itemVectors: DenseMatrix, embeddingRows: [Int32],
    features: DenseMatrix?, weights: ParameterStore<Float>, workers: Workers
  ) -> DenseMatrix {
    let (d, block) = (configuration.width, 256)
    var result = DenseMatrix(rowCount: histories.rowCount, columnCount: d)
    itemVectors.withPointer { vectors in
      result.withMutablePointer { y in
        nonisolated(unsafe) let (vectors, y) = (vectors, y)
        workers.runRanges(histories.rowCount) { _, users in
          let arena = Arena<Float>(capacity: 0)
          for start in stride(from: users.lowerBound, to: users.upperBound, by: block) {
            let end = min(start + block, users.upperBound)
            arena.reset()
            let (history, offsets) = gather(
              histories, start..<end, vectors, embeddingRows, weights, arena)
            let rows = features.map { table -> UnsafeMutablePointer<Float> in
              let width = table.columnCount
              let copy = arena.take((end - start) * width)
              table.withPointer {
                copy.update(from: $0 + start * width, count: (end - start) * width)
              }
              return copy
            }
            let saved = user.forward(
              history: history, offsets: offsets, features: rows, weights: weights, arena: arena)
            (y + start * d).update(from: saved.y, count: (end - start) * d)
          }
        }
      }
    }
    return result
  }

  /// Entries of a history that user vectors look at, at most.
  public static let historyLimit = 200

  func gather(
    _ histories: SparseMatrix, _ users: Range<Int>, _ vectors: UnsafePointer<Float>,
    _ embeddingRows: [Int32], _ weights: ParameterStore<Float>, _ arena: Arena<Float>
  ) -> (UnsafeMutablePointer<Float>, [Int32]) {
    let d = configuration.width
    var offsets: [Int32] = [0]
    var items: [Int32] = []
    for user in users {
      items.append(contentsOf: histories.columns(ofRow: user).suffix(TowerNetwork.historyLimit))
      offsets.append(Int32(items.count))
    }
    let history = arena.take(items.count * d)
    for (row, item) in items.enumerated() {
      (history + row * d).update(from: vectors + Int(item) * d, count: d)
      let embedding = embeddingRows[Int(item)]
      if let table = historyEmbeddings, embedding >= 0 {
        Float.axpy(d, 1, weights[table] + Int(embedding) * d, history + row * d)
      }
    }
    return (history, offsets)
  }
}
