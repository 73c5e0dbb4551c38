public import Kernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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

  /// Makes one place of several that follow each other, for a layer that reads them as one matrix.
  mutating func join(_ handles: [TensorHandle]) -> TensorHandle {
    precondition(!handles.isEmpty, "no tensors to join")
    for (a, b) in zip(handles, handles.dropFirst()) {
      precondition(a.offset + a.count == b.offset, "joined tensors must follow each other")
    }
    let whole = TensorHandle(
      offset: handles[0].offset, count: handles.reduce(0) { $0 + $1.count })
    join(whole.offset..<whole.offset + whole.count)
    return whole
  }
}

/// The scalars under a ``ParameterTable``: the weights, their gradients or an optimizer moment.
///
/// Usually one contiguous buffer. A store of weights that are only read may instead point into a mapped
/// file, see ``init(_:reading:owner:)``; then ``isReadOnly`` holds and nothing may write through it.
/// Not synchronised: threads may read at the same time, writers must keep to ranges of their own.
public final class ParameterStore<Scalar: KernelScalar>: @unchecked Sendable {
  /// Names, shapes and places.
  public var table: ParameterTable
  /// Number of elements.
  public let count: Int
  private let memory: UnsafeMutablePointer<Scalar>
  private let placement: Placement?

  /// Where the tensors of a store are that isn't contiguous.
  private struct Placement {
    /// Offsets of the table's entries, ascending, and the first element of each.
    let starts: [Int]
    let pointers: [UnsafeMutablePointer<Scalar>]
    let isMapped: [Bool]
    /// Keeps the mapped memory alive.
    let owner: AnyObject
  }

  /// Allocates a zeroed buffer for a table.
  public init(_ table: ParameterTable) {
    self.table = table
    count = table.elementCount
    memory = ParameterStore.zeroed(count)
    placement = nil
  }

  /// Points at tensors in memory that somebody else keeps, read-only; the rest gets memory of its own.
  ///
  /// `place` says where a tensor's elements are, or `nil` for one that has to be filled in: those are the
  /// tensors for which ``isMapped(_:)`` is false. Tensors that a layer reads as one
  /// (``ParameterTable/joined``) are copied too unless they follow each other there. `owner` is kept as
  /// long as the store.
  package init(
    _ table: ParameterTable, reading place: (Parameter) -> UnsafePointer<Scalar>?, owner: AnyObject
  ) {
    self.table = table
    count = table.elementCount
    let entries = table.entries
    var mapped = entries.map(place)
    for range in table.joined {
      let group = entries.indices.filter { range.contains(entries[$0].offset) }
      let follow = zip(group, group.dropFirst()).allSatisfy { a, b in
        guard let first = mapped[a], let second = mapped[b] else { return false }
        return first + entries[a].count == second
      }
      if !follow { for index in group { mapped[index] = nil } }
    }
    var own = 0
    var places: [Int] = []
    for (entry, pointer) in zip(entries, mapped) {
      places.append(own)
      if pointer == nil { own += entry.count }
    }
    let memory = ParameterStore.zeroed(own)
    self.memory = memory
    placement = Placement(
      starts: entries.map(\.offset),
      pointers: zip(mapped, places).map { pointer, place in
        pointer.map { UnsafeMutablePointer(mutating: $0) } ?? memory + place
      },
      isMapped: mapped.map { $0 != nil }, owner: owner)
  }

  /// 64-byte aligned zeros; the system's `memset`, as a large model's buffer is touched once here.
  private static func zeroed(_ count: Int) -> UnsafeMutablePointer<Scalar> {
    let bytes = max(1, count) * MemoryLayout<Scalar>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    memset(memory, 0, bytes)
    return memory.bindMemory(to: Scalar.self, capacity: max(1, count))
  }

  deinit { UnsafeMutableRawPointer(memory).deallocate() }

  /// Whether tensors lie in somebody else's memory, so that writing to them ends the process.
  public var isReadOnly: Bool { placement != nil }

  /// Whether a tensor lies in somebody else's memory.
  package func isMapped(_ parameter: Parameter) -> Bool {
    placement.map { $0.isMapped[entryIndex(parameter.offset, $0)] } ?? false
  }

  /// The first of ``count`` elements, 64-byte aligned; the store must not be ``isReadOnly``.
  public var base: UnsafeMutablePointer<Scalar> {
    precondition(placement == nil, "a store over a mapped file isn't contiguous; copy it first")
    return memory
  }

  /// All elements; the store must not be ``isReadOnly``.
  public var values: UnsafeMutableBufferPointer<Scalar> { .init(start: base, count: count) }

  /// The first element of a tensor.
  public subscript(handle: TensorHandle) -> UnsafeMutablePointer<Scalar> {
    pointer(handle.offset)
  }

  /// The first element of a tensor.
  public subscript(parameter: Parameter) -> UnsafeMutablePointer<Scalar> {
    pointer(parameter.offset)
  }

  private func pointer(_ offset: Int) -> UnsafeMutablePointer<Scalar> {
    guard let placement else { return memory + offset }
    let index = entryIndex(offset, placement)
    return placement.pointers[index] + (offset - placement.starts[index])
  }

  /// The last entry that begins at `offset` or before.
  private func entryIndex(_ offset: Int, _ placement: Placement) -> Int {
    var (low, high) = (0, placement.starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if placement.starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// Sets every element to zero.
  public func zero() { base.update(repeating: 0, count: count) }

  /// Copies every element of a store with the same table.
  public func copy(from other: ParameterStore<Scalar>) {
    precondition(count == other.count, "stores of \(count) and \(other.count) elements")
    guard other.isReadOnly else { return base.update(from: other.base, count: count) }
    for entry in other.table.entries {
      (base + entry.offset).update(from: other[entry], count: entry.count)
    }
  }

  /// A contiguous store with the same table and values, which may be changed.
  public func copied() -> ParameterStore<Scalar> {
    let copy = ParameterStore(table)
    copy.copy(from: self)
    return copy
  }
}
