import Kernels

/// Scores items by the cosine of their content vector with the user's profile: the sum of the unit
/// vectors of the history's items, times their values.
public struct ProfileScorer: UserScorer {
  private enum Space {
    /// Unit rows, (items, width).
    case dense(DenseMatrix)
    /// Unit rows, (items, features), and their inverted index.
    case sparse(SparseMatrix, ItemProducts)
  }

  private let space: Space

  /// Uses dense vectors, (items, width), of any length.
  public init(_ vectors: DenseMatrix) { space = .dense(vectors.normalizingRows()) }

  /// Uses sparse vectors, (items, features), of any length.
  public init(_ vectors: SparseMatrix) {
    let unit = vectors.normalizingRows()
    space = .sparse(unit, ItemProducts(unit))
  }

  /// The number of items.
  public var itemCount: Int {
    switch space {
    case .dense(let vectors): vectors.rowCount
    case .sparse(let vectors, _): vectors.rowCount
    }
  }

  /// Writes the cosines; a user without content gets zeros.
  public func score(
    _ histories: SparseMatrix, rows: Range<Int>, into scores: UnsafeMutablePointer<Float>
  ) {
    precondition(
      histories.columnCount == itemCount,
      "histories over \(histories.columnCount) items for \(itemCount) vectors")
    switch space {
    case .dense(let vectors): scoreDense(histories, rows, vectors, into: scores)
    case .sparse(let vectors, let products):
      scoreSparse(histories, rows, vectors, products, into: scores)
    }
  }

  private func scoreDense(
    _ histories: SparseMatrix, _ rows: Range<Int>, _ vectors: DenseMatrix,
    into scores: UnsafeMutablePointer<Float>
  ) {
    let width = vectors.columnCount
    let profiles = ScalarBuffer<Float>(rows.count * width)
    histories.withView { view in
      vectors.withPointer { vectors in
        for row in rows {
          let profile = profiles.pointer + (row - rows.lowerBound) * width
          profile.update(repeating: 0, count: width)
          for n in view.range(row) {
            Float.axpy(width, view.values[n], vectors + Int(view.columns[n]) * width, profile)
          }
          let norm = Float.dot(width, profile, profile).squareRoot()
          Float.scal(width, 1 / max(norm, 1e-9), profile)
        }
        Float.gemm(
          transposeA: false, transposeB: true, m: rows.count, n: itemCount, k: width, alpha: 1,
          a: profiles.pointer, lda: max(width, 1), b: vectors, ldb: max(width, 1), beta: 0,
          c: scores, ldc: max(itemCount, 1))
      }
    }
  }

  private func scoreSparse(
    _ histories: SparseMatrix, _ rows: Range<Int>, _ vectors: SparseMatrix,
    _ products: ItemProducts, into scores: UnsafeMutablePointer<Float>
  ) {
    // One dense profile, of which only the features touched are visited and cleared again.
    let profile = ScalarBuffer<Float>(vectors.columnCount)
    profile.pointer.update(repeating: 0, count: vectors.columnCount)
    var isTouched = [Bool](repeating: false, count: vectors.columnCount)
    var touched: [Int32] = []
    histories.withView { view in
      vectors.withView { vectors in
        for row in rows {
          for h in view.range(row) {
            for n in vectors.range(Int(view.columns[h])) {
              let feature = vectors.columns[n]
              if !isTouched[Int(feature)] {
                isTouched[Int(feature)] = true
                touched.append(feature)
              }
              profile.pointer[Int(feature)] += view.values[h] * vectors.values[n]
            }
          }
          var squares = 0.0
          for feature in touched {
            squares += Double(profile.pointer[Int(feature)]) * Double(profile.pointer[Int(feature)])
          }
          let scale = Float(1 / max(squares.squareRoot(), 1e-9))
          let sums = scores + (row - rows.lowerBound) * itemCount
          sums.update(repeating: 0, count: itemCount)
          for feature in touched {
            products.add(Int(feature), profile.pointer[Int(feature)] * scale, to: sums)
            profile.pointer[Int(feature)] = 0
            isTouched[Int(feature)] = false
          }
          touched.removeAll(keepingCapacity: true)
        }
      }
    }
  }
}
