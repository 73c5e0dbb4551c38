public import Kernels

/// A dense layer over pooled vectors, sentence-transformers' `Dense`: y = f(W x + b).
///
/// The vectors of a model that has one are as wide as its last projection.
public struct VectorProjection: Sendable, Equatable {
  /// Width of the input.
  public let inputs: Int
  /// Width of the output.
  public let outputs: Int
  /// The matrix, (outputs, inputs) row-major.
  public let weight: [Float]
  /// The bias, (outputs); `nil` for a layer without one.
  public let bias: [Float]?
  /// The function f.
  public let activation: ActivationKind

  /// Creates a layer; the sizes of the arrays must fit.
  public init(
    inputs: Int, outputs: Int, weight: [Float], bias: [Float]?, activation: ActivationKind
  ) {
    precondition(weight.count == inputs * outputs, "\(weight.count) weights")
    precondition(bias.map { $0.count == outputs } ?? true, "a bias for each output")
    self.inputs = inputs
    self.outputs = outputs
    self.weight = weight
    self.bias = bias
    self.activation = activation
  }

  /// `y` is (rows, outputs), `x` is (rows, inputs); they must not overlap.
  public func forward(_ y: UnsafeMutablePointer<Float>, x: UnsafePointer<Float>, rows: Int) {
    weight.withUnsafeBufferPointer { matrix in
      guard let base = matrix.baseAddress else { return }
      Linear.forward(
        y: y, x: x, weight: base, bias: nil, rows: rows, inputs: inputs, outputs: outputs)
    }
    if let bias {
      bias.withUnsafeBufferPointer {
        BiasActivation.forward(
          y: y, z: y, bias: $0.baseAddress, rows: rows, width: outputs, kind: activation)
      }
    } else {
      BiasActivation.forward(
        y: y, z: y, bias: nil, rows: rows, width: outputs, kind: activation)
    }
  }
}
