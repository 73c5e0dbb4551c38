public import Kernels

/// Why a ridge regression can't be fitted.
public enum RidgeError: Error, Equatable, CustomStringConvertible {
  /// The weights aren't positive numbers.
  case weight(row: Int)
  /// An input or output holds NaN or infinity.
  case notFinite
  /// There is nothing to fit, or nothing to choose the penalty by.
  case rows(fitted: Int, heldOut: Int)
  /// The penalty isn't a positive number, or none was given.
  case penalty
  /// The normal equations have no Cholesky factor.
  case notPositiveDefinite(penalty: Double)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .weight(let row): "ridge regression: the weight of row \(row) isn't a number above 0"
    case .notFinite:
      "ridge regression: an input or output is NaN or infinite; check the encoder's vectors"
    case .rows(let fitted, let heldOut):
      "ridge regression needs rows to fit and rows to choose the penalty by, not \(fitted) and "
        + "\(heldOut)"
    case .penalty: "ridge regression needs penalties above 0"
    case .notPositiveDefinite(let penalty):
      "the normal equations of the ridge regression aren't positive definite with the penalty "
        + "\(penalty); raise it"
    }
  }
}

/// Linear regression of several outputs with an intercept, weighted rows and a penalty on the squares of
/// the coefficients: from text vectors to collaborative factors, for example.
///
/// With weighted means mx and my, the coefficients are
/// (sum w (x - mx)^T (x - mx) + penalty * mean(w) * I)^-1 sum w (x - mx)^T (y - my), in Double.
public struct RidgeRegression: Sendable, Equatable {
  /// What inputs are centred by.
  public let inputMean: [Float]
  /// What is added to the outputs.
  public let outputMean: [Float]
  /// The coefficients, (inputs, outputs).
  public let coefficients: DenseMatrix

  /// Restores stored parts.
  public init(inputMean: [Float], outputMean: [Float], coefficients: DenseMatrix) {
    precondition(
      inputMean.count == coefficients.rowCount && outputMean.count == coefficients.columnCount,
      "means of \(inputMean.count) and \(outputMean.count) for (\(coefficients.rowCount), "
        + "\(coefficients.columnCount)) coefficients")
    self.inputMean = inputMean
    self.outputMean = outputMean
    self.coefficients = coefficients
  }

  /// Fits outputs (rows, outputs) to inputs (rows, inputs).
  ///
  /// - Throws: ``RidgeError``.
  public static func fit(
    inputs: DenseMatrix, outputs: DenseMatrix, weights: [Float], penalty: Double
  ) throws -> RidgeRegression {
    try RidgeEquations(inputs: inputs, outputs: outputs, weights: weights).solved(penalty: penalty)
  }

  /// The outputs for each row of inputs, (rows, outputs).
  public func predict(_ inputs: DenseMatrix, workers: Workers) -> DenseMatrix {
    precondition(
      inputs.columnCount == inputMean.count,
      "inputs of \(inputs.columnCount) for a regression of \(inputMean.count)")
    let (rows, width, outputs) = (inputs.rowCount, inputMean.count, outputMean.count)
    var centred = inputs
    var result = DenseMatrix(rowCount: rows, columnCount: outputs)
    centred.withMutablePointer { centred in
      coefficients.withPointer { coefficients in
        result.withMutablePointer { result in
          nonisolated(unsafe) let (centred, coefficients, result) = (centred, coefficients, result)
          workers.runChunks(rows, chunk: productChunk) { _, range in
            for row in range {
              for c in 0..<width { centred[row * width + c] -= inputMean[c] }
              for c in 0..<outputs { result[row * outputs + c] = outputMean[c] }
            }
            Float.gemm(
              transposeA: false, transposeB: false, m: range.count, n: outputs, k: width, alpha: 1,
              a: centred + range.lowerBound * width, lda: max(width, 1), b: coefficients,
              ldb: max(outputs, 1), beta: 1, c: result + range.lowerBound * outputs,
              ldc: max(outputs, 1))
          }
        }
      }
    }
    return result
  }
}

/// The normal equations of a ridge regression without the penalty, so that several can be tried.
struct RidgeEquations {
  private var inputMean: [Double]
  private var outputMean: [Double]
  private var gram: [Double]
  /// Outputs by inputs, (outputs, inputs).
  private var moments: [Double]
  private var meanWeight = 0.0

  init(inputs: DenseMatrix, outputs: DenseMatrix, weights: [Float]) throws {
    precondition(
      inputs.rowCount == outputs.rowCount && inputs.rowCount == weights.count,
      "\(inputs.rowCount) inputs, \(outputs.rowCount) outputs, \(weights.count) weights")
    guard !weights.isEmpty else { throw RidgeError.rows(fitted: 0, heldOut: 0) }
    var total = 0.0
    for (row, weight) in weights.enumerated() {
      guard weight > 0, weight.isFinite else { throw RidgeError.weight(row: row) }
      total += Double(weight)
    }
    let (n, outputCount) = (inputs.columnCount, outputs.columnCount)
    inputMean = Self.mean(inputs, weights, total)
    outputMean = Self.mean(outputs, weights, total)
    // LAPACK's factorisation lets NaN through.
    guard (inputMean + outputMean).allSatisfy(\.isFinite) else { throw RidgeError.notFinite }
    gram = [Double](repeating: 0, count: n * n)
    moments = [Double](repeating: 0, count: n * outputCount)
    meanWeight = total / Double(weights.count)
    let block = 256
    var (plain, weighted, target) = ([Double](), [Double](), [Double]())
    for start in stride(from: 0, to: weights.count, by: block) {
      let rows = start..<min(start + block, weights.count)
      plain.removeAll(keepingCapacity: true)
      weighted.removeAll(keepingCapacity: true)
      target.removeAll(keepingCapacity: true)
      for row in rows {
        for (c, value) in inputs.row(row).enumerated() {
          plain.append(Double(value) - inputMean[c])
          weighted.append(Double(weights[row]) * (Double(value) - inputMean[c]))
        }
        for (c, value) in outputs.row(row).enumerated() {
          target.append(Double(value) - outputMean[c])
        }
      }
      Double.gemm(
        transposeA: true, transposeB: false, m: n, n: n, k: rows.count, alpha: 1, a: weighted,
        lda: n, b: plain, ldb: n, beta: 1, c: &gram, ldc: n)
      Double.gemm(
        transposeA: true, transposeB: false, m: outputCount, n: n, k: rows.count, alpha: 1,
        a: target, lda: outputCount, b: weighted, ldb: n, beta: 1, c: &moments, ldc: n)
    }
  }

  private static func mean(_ rows: DenseMatrix, _ weights: [Float], _ total: Double) -> [Double] {
    var sums = [Double](repeating: 0, count: rows.columnCount)
    for row in 0..<rows.rowCount {
      for (c, value) in rows.row(row).enumerated() {
        sums[c] += Double(weights[row]) * Double(value)
      }
    }
    return sums.map { $0 / total }
  }

  /// The regression with one penalty.
  func solved(penalty: Double) throws -> RidgeRegression {
    guard penalty > 0, penalty.isFinite else { throw RidgeError.penalty }
    let (n, outputCount) = (inputMean.count, outputMean.count)
    var matrix = gram
    var solutions = moments
    for c in 0..<n { matrix[c * n + c] += penalty * meanWeight }
    guard
      n == 0
        || Double.potrf(n, &matrix) == 0
          && Double.potrs(n, count: outputCount, matrix, &solutions) == 0
    else { throw RidgeError.notPositiveDefinite(penalty: penalty) }
    var coefficients = DenseMatrix(rowCount: n, columnCount: outputCount)
    for output in 0..<outputCount {
      for input in 0..<n { coefficients[input, output] = Float(solutions[output * n + input]) }
    }
    return RidgeRegression(
      inputMean: inputMean.map { Float($0) }, outputMean: outputMean.map { Float($0) },
      coefficients: coefficients)
  }
}
