public import Kernels

/// Turns an item's raw text vector and features into the item tower's input.
///
/// x = [a normalise(r) | b normalise((r - mean) W) | features]: the raw vector beside its whitened form,
/// each scaled to unit variance a column (a = sqrt(width of r), b = sqrt(width of the whitened part)).
/// Whitening evens out the directions of a pretrained encoder's narrow cone (Su et al. 2021); keeping
/// both leaves the tower the choice (WhitenRec, Zhang et al. 2024).
public struct ItemInputAssembly: Sendable {
  /// Mean and matrix of the whitening.
  public let whitening: Whitening
  /// Width of the raw vectors.
  public let rawWidth: Int
  /// Width of the feature rows.
  public let featureWidth: Int

  /// Creates an assembly.
  public init(whitening: Whitening, rawWidth: Int, featureWidth: Int) {
    self.whitening = whitening
    self.rawWidth = rawWidth
    self.featureWidth = featureWidth
  }

  /// Width of the result.
  public var width: Int { rawWidth + whitening.matrix.columnCount + featureWidth }

  /// What the backward pass needs: unit vectors and norms of both parts.
  package struct Saved {
    let raw: UnsafeMutablePointer<Float>
    let rawNorm: UnsafeMutablePointer<Float>
    let white: UnsafeMutablePointer<Float>
    let whiteNorm: UnsafeMutablePointer<Float>
  }

  /// `x` (rows, width) from `raw` (rows, rawWidth); `features` is a row pointer by index.
  package func forward(
    _ x: UnsafeMutablePointer<Float>, raw: UnsafePointer<Float>, rows: Int,
    features: (Int) -> UnsafePointer<Float>?, arena: Arena<Float>
  ) -> Saved {
    let white = whitening.matrix.columnCount
    let saved = Saved(
      raw: arena.take(rows * rawWidth), rawNorm: arena.take(rows), white: arena.take(rows * white),
      whiteNorm: arena.take(rows))
    L2Normalize.forward(y: saved.raw, norm: saved.rawNorm, x: raw, rows: rows, width: rawWidth)
    let centred = arena.take(rows * rawWidth)
    for row in 0..<rows {
      for d in 0..<rawWidth {
        centred[row * rawWidth + d] = raw[row * rawWidth + d] - whitening.mean[d]
      }
    }
    whitening.matrix.withPointer { matrix in
      Float.gemm(
        transposeA: false, transposeB: false, m: rows, n: white, k: rawWidth, alpha: 1,
        a: centred, lda: rawWidth, b: matrix, ldb: white, beta: 0, c: saved.white, ldc: white)
    }
    L2Normalize.forward(
      y: saved.white, norm: saved.whiteNorm, x: saved.white, rows: rows, width: white)
    let (a, b) = (Float(rawWidth).squareRoot(), Float(white).squareRoot())
    for row in 0..<rows {
      let target = x + row * width
      for d in 0..<rawWidth { target[d] = a * saved.raw[row * rawWidth + d] }
      for d in 0..<white { target[rawWidth + d] = b * saved.white[row * white + d] }
      if featureWidth > 0, let source = features(row) {
        (target + rawWidth + white).update(from: source, count: featureWidth)
      }
    }
    return saved
  }

  /// Writes the gradient of `raw` into `dRaw` (rows, rawWidth) from that of `x`.
  package func backward(
    dRaw: UnsafeMutablePointer<Float>, dx: UnsafePointer<Float>, saved: Saved, rows: Int,
    arena: Arena<Float>
  ) {
    let white = whitening.matrix.columnCount
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let dWhite = arena.take(rows * white)
    let (a, b) = (Float(rawWidth).squareRoot(), Float(white).squareRoot())
    for row in 0..<rows {
      let source = dx + row * width
      for d in 0..<rawWidth { dRaw[row * rawWidth + d] = a * source[d] }
      for d in 0..<white { dWhite[row * white + d] = b * source[rawWidth + d] }
    }
    L2Normalize.backward(
      dx: dRaw, accumulate: false, dy: dRaw, y: saved.raw, norm: saved.rawNorm, rows: rows,
      width: rawWidth)
    L2Normalize.backward(
      dx: dWhite, accumulate: false, dy: dWhite, y: saved.white, norm: saved.whiteNorm,
      rows: rows, width: white)
    whitening.matrix.withPointer { matrix in
      Float.gemm(
        transposeA: false, transposeB: true, m: rows, n: rawWidth, k: white, alpha: 1,
        a: dWhite, lda: white, b: matrix, ldb: white, beta: 1, c: dRaw, ldc: rawWidth)
    }
  }

  /// Inputs of many items: `raw` (items, rawWidth), `features` (items, featureWidth).
  public func inputs(
    raw: DenseMatrix, features: DenseMatrix?, workers: Workers
  ) -> DenseMatrix {
    var result = DenseMatrix(rowCount: raw.rowCount, columnCount: width)
    let featureWidth = featureWidth
    raw.withPointer { source in
      result.withMutablePointer { target in
        nonisolated(unsafe) let (source, target) = (source, target)
        workers.runRanges(raw.rowCount) { _, rows in
          let arena = Arena<Float>(capacity: 0)
          for part in rows.evenParts(atMost: 512) {
            let (start, count) = (part.lowerBound, part.count)
            arena.reset()
            let block = arena.take(count * featureWidth)
            features?.withPointer {
              block.update(from: $0 + start * featureWidth, count: count * featureWidth)
            }
            _ = forward(
              target + start * width, raw: source + start * rawWidth, rows: count,
              // Without features their columns stay 0, the same as for missing values.
              features: { features == nil ? nil : UnsafePointer(block + $0 * featureWidth) },
              arena: arena)
          }
        }
      }
    }
    return result
  }

  /// The whitened unit vectors alone, (items, whitened width).
  public func whitened(_ inputs: DenseMatrix) -> DenseMatrix {
    let white = whitening.matrix.columnCount
    var result = DenseMatrix(rowCount: inputs.rowCount, columnCount: white)
    let scale = 1 / Float(white).squareRoot()
    for row in 0..<inputs.rowCount {
      for d in 0..<white { result[row, d] = scale * inputs[row, rawWidth + d] }
    }
    return result
  }
}
