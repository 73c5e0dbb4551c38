internal import CKernels

/// The sum of a word's, a position's and a segment type's vector.
public enum Embedding {
  /// `y[t] = word[ids[t]] + position[positions[t]] + type[types[t]]`.
  ///
  /// `y` is (rows, width); `ids`, `positions` and `types` are (rows), `types` nil for all 0; the
  /// tables are (any, width). Every index must lie inside its table, which the caller has checked.
  public static func forward<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, ids: UnsafePointer<Int32>, positions: UnsafePointer<Int32>,
    types: UnsafePointer<Int32>?, word: UnsafePointer<S>, position: UnsafePointer<S>,
    type: UnsafePointer<S>, rows: Int, width: Int
  ) {
    guard S.self == Float.self else {
      return forwardTwin(
        y: y, ids: ids, positions: positions, types: types, word: word, position: position,
        type: type, rows: rows, width: width)
    }
    ck_embedding_forward(
      y.floats, ids, positions, types, word.floats, position.floats, type.floats, rows, width)
  }

  /// Adds each row of `dy` to the rows of the tables' gradients that it came from.
  ///
  /// Rows are added in order, so repeated ids give the same bytes every time. A nil gradient isn't
  /// computed.
  public static func backward<S: KernelScalar>(
    dWord: UnsafeMutablePointer<S>?, dPosition: UnsafeMutablePointer<S>?,
    dType: UnsafeMutablePointer<S>?, dy: UnsafePointer<S>, ids: UnsafePointer<Int32>,
    positions: UnsafePointer<Int32>, types: UnsafePointer<Int32>?, rows: Int, width: Int
  ) {
    for row in 0..<rows {
      let from = dy + row * width
      if let dWord {
        Reduction.add(into: dWord + Int(ids[row]) * width, from, count: width)
      }
      if let dPosition {
        Reduction.add(into: dPosition + Int(positions[row]) * width, from, count: width)
      }
      if let dType, let types {
        Reduction.add(into: dType + Int(types[row]) * width, from, count: width)
      }
    }
    if let dType, types == nil {
      Reduction.columnSums(into: dType, x: dy, rows: rows, columns: width)
    }
  }

  package static func forwardTwin<S: KernelScalar>(
    y: UnsafeMutablePointer<S>, ids: UnsafePointer<Int32>, positions: UnsafePointer<Int32>,
    types: UnsafePointer<Int32>?, word: UnsafePointer<S>, position: UnsafePointer<S>,
    type: UnsafePointer<S>, rows: Int, width: Int
  ) {
    for row in 0..<rows {
      let wordRow = word + Int(ids[row]) * width
      let positionRow = position + Int(positions[row]) * width
      let typeRow = type + Int(types?[row] ?? 0) * width
      for j in 0..<width { y[row * width + j] = wordRow[j] + positionRow[j] + typeRow[j] }
    }
  }
}
