internal import CKernels

/// Sums over whole buffers and columns, always in the same order.
public enum Reduction {
  /// The sum of `x[i] * x[i]`, in Double: the square of a gradient's norm.
  public static func sumOfSquares<S: KernelScalar>(_ x: UnsafePointer<S>, count: Int) -> Double {
    guard S.self == Float.self else { return sumOfSquaresTwin(x, count: count) }
    return ck_sum_of_squares(x.floats, count)
  }

  /// `into += x`, element by element.
  public static func add<S: KernelScalar>(
    into: UnsafeMutablePointer<S>, _ x: UnsafePointer<S>, count: Int
  ) {
    guard S.self == Float.self else {
      for i in 0..<count { into[i] += x[i] }
      return
    }
    ck_add(into.floats, x.floats, count)
  }

  /// Adds the sum of every column of `x`, which is (rows, columns), to `into`, which is (columns).
  public static func columnSums<S: KernelScalar>(
    into: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int, columns: Int
  ) {
    guard S.self == Float.self else {
      return columnSumsTwin(into: into, x: x, rows: rows, columns: columns)
    }
    ck_column_sums(into.floats, x.floats, rows, columns)
  }

  /// Sets `count` elements to 0.
  public static func zero<S: KernelScalar>(_ x: UnsafeMutablePointer<S>, count: Int) {
    // All bits 0 is the number 0; bytes become one memset.
    UnsafeMutableRawPointer(x).initializeMemory(
      as: UInt8.self, repeating: 0, count: count * MemoryLayout<S>.stride)
  }

  package static func sumOfSquaresTwin<S: KernelScalar>(
    _ x: UnsafePointer<S>, count: Int
  ) -> Double {
    var sum = 0.0
    for i in 0..<count { sum += Double(x[i]) * Double(x[i]) }
    return sum
  }

  package static func columnSumsTwin<S: KernelScalar>(
    into: UnsafeMutablePointer<S>, x: UnsafePointer<S>, rows: Int, columns: Int
  ) {
    for row in 0..<rows {
      for j in 0..<columns { into[j] += x[row * columns + j] }
    }
  }
}
