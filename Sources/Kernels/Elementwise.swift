internal import CKernels
internal import RealModule

/// Functions of single numbers over a buffer, in place.
public enum Elementwise {
  /// Replaces every x by `exp(x)`; below -87 the Float result is 0.
  public static func exp<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    guard S.self == Float.self else { return map(x, count) { S.exp($0) } }
    ck_exp(x.floats, x.floats, count)
  }

  /// Replaces every x by its natural logarithm: -infinity at 0, NaN below.
  public static func log<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    guard S.self == Float.self else { return map(x, count) { S.log($0) } }
    ck_log(x.floats, x.floats, count)
  }

  /// Replaces every x by `1 / (1 + exp(-x))`.
  public static func sigmoid<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    guard S.self == Float.self else { return map(x, count) { Kernels.sigmoid($0) } }
    ck_sigmoid(x.floats, x.floats, count)
  }

  /// Replaces every x by `log(1 + exp(x))`, which is `-log(sigmoid(-x))`, without overflow.
  public static func softplus<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    guard S.self == Float.self else {
      return map(x, count) { max($0, 0) + S.log(onePlus: S.exp(-abs($0))) }
    }
    ck_softplus(x.floats, x.floats, count)
  }

  /// `y *= x`, element by element.
  public static func multiply<S: KernelScalar>(
    into y: UnsafeMutablePointer<S>, _ x: UnsafePointer<S>, count: Int
  ) {
    guard S.self == Float.self else {
      for i in 0..<count { y[i] *= x[i] }
      return
    }
    ck_multiply(y.floats, x.floats, count)
  }

  /// `x *= factor`, element by element.
  public static func scale<S: KernelScalar>(
    _ x: UnsafeMutablePointer<S>, by factor: S, count: Int
  ) {
    guard S.self == Float.self else {
      for i in 0..<count { x[i] *= factor }
      return
    }
    ck_scale(x.floats, Float(factor), count)
  }

  private static func map<S: KernelScalar>(
    _ x: UnsafeMutablePointer<S>, _ count: Int, _ function: (S) -> S
  ) {
    for i in 0..<count { x[i] = function(x[i]) }
  }
}
