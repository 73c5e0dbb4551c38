public import Kernels

extension SparseMatrix {
  /// Each row divided by its Euclidean norm, or by 1e-9 where that is larger.
  public func normalizingRows() -> SparseMatrix {
    var newValues = values
    for row in 0..<rowCount {
      var squares = 0.0
      for n in offsets[row]..<offsets[row + 1] {
        squares += Double(newValues[n]) * Double(newValues[n])
      }
      let scale = Float(1 / max(squares.squareRoot(), 1e-9))
      for n in offsets[row]..<offsets[row + 1] { newValues[n] *= scale }
    }
    return SparseMatrix(
      trustedRowCount: rowCount, columnCount: columnCount, offsets: offsets, columns: columns,
      values: newValues)
  }

  /// The product with a (columnCount, n) dense matrix: (rowCount, n).
  public func times(_ dense: DenseMatrix, workers: Workers) -> DenseMatrix {
    precondition(
      columnCount == dense.rowCount, "\(columnCount) columns times \(dense.rowCount) rows")
    var result = DenseMatrix(rowCount: rowCount, columnCount: dense.columnCount)
    dense.withPointer { source in
      result.withMutablePointer { target in
        multiply(source, width: dense.columnCount, into: target, workers: workers)
      }
    }
    return result
  }

  /// `target = self * source` for row-major `source` (columnCount, width), `target` (rowCount, width).
  func multiply<Scalar: KernelScalar>(
    _ source: UnsafePointer<Scalar>, width: Int, into target: UnsafeMutablePointer<Scalar>,
    workers: Workers
  ) {
    withView { view in
      nonisolated(unsafe) let (source, target) = (source, target)
      workers.runChunks(rowCount, chunk: 64) { _, rows in
        for row in rows {
          let sum = target + row * width
          sum.update(repeating: 0, count: width)
          for n in view.range(row) {
            Scalar.axpy(
              width, Scalar(view.values[n]), source + Int(view.columns[n]) * width, sum)
          }
        }
      }
    }
  }

  /// The Gram matrix `self^T * self`, (columnCount, columnCount): for histories of ones, how many
  /// users have both items.
  public func gram(workers: Workers) -> DenseMatrix {
    var result = DenseMatrix(rowCount: columnCount, columnCount: columnCount)
    let n = columnCount
    result.withMutablePointer { pointer in
      accumulateGram(into: pointer, workers: workers)
      mirrorLowerTriangle(pointer, n, workers: workers)
    }
    return result
  }

  /// Writes the lower triangle (with the diagonal) of `self^T * self`, row-major.
  ///
  /// `gram` is (columnCount, columnCount). Each element is summed by one worker, by ascending row.
  func accumulateGram<Scalar: KernelScalar>(
    into gram: UnsafeMutablePointer<Scalar>, workers: Workers
  ) {
    let n = columnCount
    let byColumn = transposed()
    withView { view in
      byColumn.withView { transpose in
        nonisolated(unsafe) let gram = gram
        workers.runChunks(n, chunk: 16) { _, items in
          for item in items {
            let sums = gram + item * n
            sums.update(repeating: 0, count: item + 1)
            for t in transpose.range(item) {
              let weight = Scalar(transpose.values[t])
              for e in view.range(Int(transpose.columns[t])) {
                let other = Int(view.columns[e])
                if other > item { break }
                sums[other] += weight * Scalar(view.values[e])
              }
            }
          }
        }
      }
    }
  }
}

/// Copies the lower triangle of a row-major (n, n) matrix to the upper one.
func mirrorLowerTriangle<Scalar: KernelScalar>(
  _ matrix: UnsafeMutablePointer<Scalar>, _ n: Int, workers: Workers
) {
  nonisolated(unsafe) let matrix = matrix
  let tile = 64
  workers.runChunks(n, chunk: tile) { _, rows in
    for start in stride(from: rows.lowerBound, to: n, by: tile) {
      for row in rows {
        for column in max(start, row + 1)..<max(min(start + tile, n), max(start, row + 1)) {
          matrix[row * n + column] = matrix[column * n + row]
        }
      }
    }
  }
}
