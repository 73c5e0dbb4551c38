public import Kernels

/// Where one tensor is in every buffer under the same table.
public struct TensorHandle: Sendable, Equatable {
  /// Position of the first element.
  public let offset: Int
  /// Number of elements.
  public let count: Int
}

extension ParameterTable {
  /// Appends a tensor and returns its place.
  public mutating func declare(_ name: String, _ shape: Int...) -> TensorHandle {
    let entry = add(name, shape)
    return TensorHandle(offset: entry.offset, count: entry.count)
  }
}

/// One contiguous buffer of scalars under a ``ParameterTable``: the weights, their gradients or an
/// optimizer moment.
///
/// Not synchronised: threads may read at the same time, writers must keep to ranges of their own.
public final class ParameterStore<Scalar: KernelScalar>: @unchecked Sendable {
  /// Names, shapes and places.
  public var table: ParameterTable
  /// The first of ``count`` elements, 64-byte aligned, zero at first.
  public let base: UnsafeMutablePointer<Scalar>
  /// Number of elements.
  public let count: Int

  /// Allocates a zeroed buffer for a table.
  public init(_ table: ParameterTable) {
    self.table = table
    count = table.elementCount
    let bytes = max(1, count) * MemoryLayout<Scalar>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    base = memory.bindMemory(to: Scalar.self, capacity: max(1, count))
    base.initialize(repeating: 0, count: count)
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }

  /// All elements.
  public var values: UnsafeMutableBufferPointer<Scalar> { .init(start: base, count: count) }

  /// The first element of a tensor.
  public subscript(handle: TensorHandle) -> UnsafeMutablePointer<Scalar> { base + handle.offset }

  /// The first element of a tensor.
  public subscript(parameter: Parameter) -> UnsafeMutablePointer<Scalar> {
    base + parameter.offset
  }

  /// Sets every element to zero.
  public func zero() { base.update(repeating: 0, count: count) }

  /// Copies every element of a store with the same table.
  public func copy(from other: ParameterStore<Scalar>) {
    precondition(count == other.count, "stores of \(count) and \(other.count) elements")
    base.update(from: other.base, count: count)
  }
}
