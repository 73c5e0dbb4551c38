public import Kernels

/// One contiguous buffer of scalars under a ``ParameterTable``: the weights, their gradients or an
/// optimizer moment.
///
/// Not synchronised: threads may read at the same time, writers must keep to ranges of their own.
public final class ParameterStore<Scalar: KernelScalar>: @unchecked Sendable {
  /// Names, shapes and places.
  public var table: ParameterTable
  /// The elements, `table.elementCount` of them, zero at first.
  public let values: UnsafeMutableBufferPointer<Scalar>

  /// Allocates a zeroed buffer for a table.
  public init(_ table: ParameterTable) {
    self.table = table
    values = .allocate(capacity: table.elementCount)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }

  /// The first element of a tensor.
  public subscript(parameter: Parameter) -> UnsafeMutablePointer<Scalar> {
    guard let base = values.baseAddress else {
      preconditionFailure("no parameter in an empty store: \(parameter.name)")
    }
    return base + parameter.offset
  }

  /// Sets every element to zero.
  public func zero() { values.update(repeating: 0) }
}
