internal import Kernels

/// Where a backward pass adds the gradients of an encoder's weights: all of them, or those that learn.
struct GradientSink<S: KernelScalar> {
  private let base: UnsafeMutablePointer<S>
  private let layout: GradientLayout?

  /// A place for every tensor.
  init(_ store: ParameterStore<S>) {
    base = store.base
    layout = nil
  }

  /// A place for the tensors of a layout, in memory that holds ``GradientLayout/count`` elements.
  init(_ memory: UnsafeMutablePointer<S>, layout: GradientLayout) {
    base = memory
    self.layout = layout
  }

  /// The gradient of a tensor; nil where it is frozen.
  subscript(handle: TensorHandle) -> UnsafeMutablePointer<S>? {
    guard let layout else { return base + handle.offset }
    return layout.places[handle.offset].map { base + $0 }
  }
}

/// The gradients of some of an encoder's tensors in a buffer without gaps.
///
/// Tensors that the passes treat as one (query, key and value) get their places together when one of
/// them learns.
struct GradientLayout: Sendable {
  /// Place by the tensor's offset in the encoder's table.
  private(set) var places: [Int: Int] = [:]
  /// Number of elements.
  private(set) var count = 0
  private var handles: [TensorHandle] = []

  init(_ encoder: TextEncoder, learning ranges: [Range<Int>]) {
    for group in encoder.gradientGroups {
      let learns = group.contains { handle in
        ranges.contains { $0.overlaps(handle.offset..<(handle.offset + handle.count)) }
      }
      guard learns else { continue }
      for handle in group {
        places[handle.offset] = count
        handles.append(handle)
        count += handle.count
      }
    }
  }

  /// The place of a tensor that learns, which may be a part of a handle.
  func place(of parameter: Parameter) -> Int {
    for handle in handles
    where handle.offset <= parameter.offset
      && parameter.offset < handle.offset + handle.count
    {
      return (places[handle.offset] ?? 0) + parameter.offset - handle.offset
    }
    preconditionFailure("\(parameter.name) has no gradient")
  }
}
