internal import CKernels
internal import RealModule

/// Softmax and cross entropy in one, with hard targets or sparse soft ones.
///
/// The gradient is `(softmax - target) * gradientScale` and overwrites the logits, so that the
/// largest matrix of a language model exists once. Losses are summed over the rows in Double.
public enum SoftmaxCrossEntropy {
  /// Returns the summed loss and the number of rows whose largest logit is the target's.
  ///
  /// `logits` is (rows, classes), `targets` is (rows) of class indices. Without a `gradientScale`
  /// the logits stay as they are. Among equal largest logits the first counts, as with argmax.
  public static func forwardBackward<S: KernelScalar>(
    logits: UnsafeMutablePointer<S>, targets: UnsafePointer<Int32>, rows: Int, classes: Int,
    gradientScale: S?
  ) -> (loss: Double, correct: Int) {
    var loss = 0.0
    var correct = 0
    for row in 0..<rows {
      let x = logits + row * classes
      let target = Int(targets[row])
      precondition(
        target >= 0 && target < classes, "target \(target) isn't one of \(classes) classes")
      let wanted = x[target]
      let maximum = largest(x, count: classes)
      if wanted == maximum, isFirst(target, of: maximum, in: x) { correct += 1 }
      let sum = exponentials(x, maximum, count: classes, store: gradientScale != nil)
      loss += Double.log(Double(sum)) + (Double(maximum) - Double(wanted))
      if let gradientScale {
        Elementwise.scale(x, by: gradientScale / sum, count: classes)
        x[target] -= gradientScale
      }
    }
    return (loss, correct)
  }

  /// Returns the summed loss against soft targets in compressed sparse rows.
  ///
  /// Row r's target distribution is `targetWeights[i]` at class `targetColumns[i]` for i in
  /// `targetOffsets[r]..<targetOffsets[r + 1]`; its weights sum to 1, repeated columns add up, and a
  /// row without entries has loss and gradient 0.
  public static func forwardBackwardSparse<S: KernelScalar>(
    logits: UnsafeMutablePointer<S>, targetOffsets: UnsafePointer<Int32>,
    targetColumns: UnsafePointer<Int32>, targetWeights: UnsafePointer<S>, rows: Int, classes: Int,
    gradientScale: S?
  ) -> Double {
    var loss = 0.0
    for row in 0..<rows {
      let x = logits + row * classes
      let entries = Int(targetOffsets[row])..<Int(targetOffsets[row + 1])
      var total: S = 0
      var wanted = 0.0
      for i in entries {
        let column = Int(targetColumns[i])
        precondition(
          column >= 0 && column < classes, "target \(column) isn't one of \(classes) classes")
        total += targetWeights[i]
        if targetWeights[i] != 0 { wanted += Double(targetWeights[i]) * Double(x[column]) }
      }
      let maximum = largest(x, count: classes)
      let sum = exponentials(x, maximum, count: classes, store: gradientScale != nil)
      if !entries.isEmpty {
        loss += Double(total) * (Double.log(Double(sum)) + Double(maximum)) - wanted
      }
      if let gradientScale {
        Elementwise.scale(x, by: total * gradientScale / sum, count: classes)
        for i in entries { x[Int(targetColumns[i])] -= targetWeights[i] * gradientScale }
      }
    }
    return loss
  }

  /// The largest element of a row, NaN left aside.
  private static func largest<S: KernelScalar>(_ x: UnsafePointer<S>, count: Int) -> S {
    if S.self == Float.self { return S(ck_maximum(x.floats, count)) }
    var maximum = -S.infinity
    for j in 0..<count { maximum = x[j] > maximum ? x[j] : maximum }
    return maximum
  }

  /// The sum of `exp(x - maximum)` over a row; with `store` the terms replace the row.
  private static func exponentials<S: KernelScalar>(
    _ x: UnsafeMutablePointer<S>, _ maximum: S, count: Int, store: Bool
  ) -> S {
    if S.self == Float.self {
      return S(ck_exp_sum(store ? x.floats : nil, x.floats, count, Float(maximum)))
    }
    var sum: S = 0
    for j in 0..<count {
      let term = S.exp(x[j] - maximum)
      sum += term
      if store { x[j] = term }
    }
    return sum
  }

  private static func isFirst<S: KernelScalar>(
    _ target: Int, of value: S, in x: UnsafeMutablePointer<S>
  ) -> Bool {
    for j in 0..<target where x[j] == value { return false }
    return true
  }
}
