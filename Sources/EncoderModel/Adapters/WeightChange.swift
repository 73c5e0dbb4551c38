internal import Kernels

/// A change of one dense layer, or of one tensor, that leaves the encoder's structure as it is.
///
/// LoRA, (IA)3 and BitFit are such changes: the changed weights are computed once a step, and all
/// passes then run at the encoder's own speed.
public struct WeightChange: Sendable {
  /// What happens to the tensors.
  public enum Rule: Sendable, Equatable {
    /// W + scale * B A, A being (rank, inputs) and B (outputs, rank); Hu et al. 2021, "LoRA".
    case lowRank(a: TensorHandle, b: TensorHandle, rank: Int, scale: Double)
    /// Rows of W and elements of the bias times `scale` * factors; Liu et al. 2022, (IA)3.
    case scaledOutputs(TensorHandle, scale: Double)
    /// Columns of W times factors; (IA)3 on the way into a feed-forward layer.
    case scaledInputs(TensorHandle)
    /// Another value.
    case replacement(TensorHandle)
  }

  /// The dense layer without `.weight`, or for a replacement the tensor.
  public let target: String
  /// What happens to it.
  public let rule: Rule
  /// The changed matrix or tensor in the encoder's table.
  public let weight: Parameter
  /// The changed bias, where there is one.
  public let bias: Parameter?

  private var rows: Int { weight.shape[0] }
  private var columns: Int { weight.count / max(1, weight.shape[0]) }

  /// Elements of the encoder's table that change.
  package var ranges: [Range<Int>] { [weight.range] + (bias.map { [$0.range] } ?? []) }

  /// Declares LoRA matrices of a dense layer; nil when the encoder has none of that name.
  public static func lowRank(
    _ target: String, rank: Int, scale: Double, base: ParameterTable,
    in table: inout ParameterTable
  ) -> WeightChange? {
    guard let weight = base["\(target).weight"], weight.shape.count == 2 else { return nil }
    let a = table.declare("\(target).lora_A.weight", rank, weight.shape[1])
    let b = table.declare("\(target).lora_B.weight", weight.shape[0], rank)
    return WeightChange(
      target: target, rule: .lowRank(a: a, b: b, rank: rank, scale: scale), weight: weight,
      bias: nil)
  }

  /// Declares (IA)3 factors of a dense layer; nil when the encoder has none of that name.
  ///
  /// `ofInputs` is PEFT's feed-forward mode; `scale` multiplies factors of outputs.
  public static func factors(
    _ target: String, ofInputs: Bool, scale: Double = 1, base: ParameterTable,
    in table: inout ParameterTable
  ) -> WeightChange? {
    guard let weight = base["\(target).weight"], weight.shape.count == 2,
      let bias = base["\(target).bias"]
    else { return nil }
    if ofInputs {
      let factors = table.declare("\(target).ia3_l", 1, weight.shape[1])
      return WeightChange(target: target, rule: .scaledInputs(factors), weight: weight, bias: nil)
    }
    let factors = table.declare("\(target).ia3_l", weight.shape[0], 1)
    return WeightChange(
      target: target, rule: .scaledOutputs(factors, scale: scale), weight: weight, bias: bias)
  }

  /// Declares another value of a tensor; nil when the encoder has none of that name.
  public static func replacement(
    _ name: String, base: ParameterTable, in table: inout ParameterTable
  ) -> WeightChange? {
    guard let weight = base[name] else { return nil }
    let entry = table.add(name, weight.shape)
    return WeightChange(
      target: name,
      rule: .replacement(TensorHandle(offset: entry.offset, count: entry.count)), weight: weight,
      bias: nil)
  }

  /// Puts the tensors' values without an adapter into the change's own weights, as far as there are any.
  ///
  /// A low-rank change gets A from U(-1/√inputs, 1/√inputs), PyTorch's default, and B = 0.
  func initialize<S: KernelScalar>(
    _ store: ParameterStore<S>, base: ParameterStore<S>,
    using generator: inout some RandomNumberGenerator
  ) {
    switch rule {
    case .lowRank(let a, let b, _, _):
      let bound = 1 / Double(columns).squareRoot()
      for i in 0..<a.count {
        // 53 random bits in [0, 1).
        let u = Double(generator.next() >> 11) * 0x1p-53
        store[a][i] = S((2 * u - 1) * bound)
      }
      store[b].update(repeating: 0, count: b.count)
    case .scaledOutputs(let factors, let scale):
      store[factors].update(repeating: S(1 / scale), count: factors.count)
    case .scaledInputs(let factors):
      store[factors].update(repeating: 1, count: factors.count)
    case .replacement(let value):
      store[value].update(from: base[weight], count: value.count)
    }
  }

  /// Changes the tensors of `target`, which hold the base's values.
  func apply<S: KernelScalar>(to target: ParameterStore<S>, _ own: ParameterStore<S>) {
    switch rule {
    case .lowRank(let a, let b, let rank, let scale):
      addProduct(own[b], own[a], rank: rank, scale: S(scale), to: target[weight])
    case .scaledOutputs(let factors, let scale):
      for row in 0..<rows {
        let factor = S(scale) * own[factors][row]
        Elementwise.scale(target[weight] + row * columns, by: factor, count: columns)
        if let bias { target[bias][row] *= factor }
      }
    case .scaledInputs(let factors):
      for row in 0..<rows {
        Elementwise.multiply(into: target[weight] + row * columns, own[factors], count: columns)
      }
    case .replacement(let value):
      target[weight].update(from: own[value], count: value.count)
    }
  }

  /// Takes the change back, up to rounding, and says whether there was a way.
  ///
  /// A replaced tensor's base is lost, and a factor 0 can't be divided by.
  func revert<S: KernelScalar>(_ target: ParameterStore<S>, _ own: ParameterStore<S>) -> Bool {
    switch rule {
    case .lowRank(let a, let b, let rank, let scale):
      addProduct(own[b], own[a], rank: rank, scale: -S(scale), to: target[weight])
    case .scaledOutputs(let factors, let scale):
      for row in 0..<rows {
        let factor = S(scale) * own[factors][row]
        guard factor != 0 else { return false }
        for i in 0..<columns { target[weight][row * columns + i] /= factor }
        if let bias { target[bias][row] /= factor }
      }
    case .scaledInputs(let factors):
      guard (0..<columns).allSatisfy({ own[factors][$0] != 0 }) else { return false }
      for row in 0..<rows {
        for i in 0..<columns { target[weight][row * columns + i] /= own[factors][i] }
      }
    case .replacement: return false
    }
    return true
  }

  /// Adds the gradients of the change's own weights, by those of the changed tensors.
  func backward<S: KernelScalar>(
    _ gradients: ParameterStore<S>, changed: UnsafePointer<S>, changedBias: UnsafePointer<S>?,
    own: ParameterStore<S>, base: ParameterStore<S>
  ) {
    switch rule {
    case .lowRank(let a, let b, let rank, let scale):
      // dB = scale * G A^T and dA = scale * B^T G.
      S.gemm(
        transposeA: false, transposeB: true, m: rows, n: rank, k: columns, alpha: S(scale),
        a: changed, lda: columns, b: own[a], ldb: columns, beta: 1, c: gradients[b], ldc: rank)
      S.gemm(
        transposeA: true, transposeB: false, m: rank, n: columns, k: rows, alpha: S(scale),
        a: own[b], lda: rank, b: changed, ldb: columns, beta: 1, c: gradients[a], ldc: columns)
    case .scaledOutputs(let factors, let scale):
      for row in 0..<rows {
        let (from, slope) = (base[weight] + row * columns, changed + row * columns)
        var sum: S = 0
        for i in 0..<columns { sum += from[i] * slope[i] }
        if let bias, let changedBias { sum += base[bias][row] * changedBias[row] }
        gradients[factors][row] += S(scale) * sum
      }
    case .scaledInputs(let factors):
      for row in 0..<rows {
        let (from, slope) = (base[weight] + row * columns, changed + row * columns)
        for i in 0..<columns { gradients[factors][i] += from[i] * slope[i] }
      }
    case .replacement(let value):
      Reduction.add(into: gradients[value], changed, count: value.count)
    }
  }

  private func addProduct<S: KernelScalar>(
    _ b: UnsafeMutablePointer<S>, _ a: UnsafeMutablePointer<S>, rank: Int, scale: S,
    to target: UnsafeMutablePointer<S>
  ) {
    S.gemm(
      transposeA: false, transposeB: false, m: rows, n: columns, k: rank, alpha: scale, a: b,
      lda: rank, b: a, ldb: columns, beta: 1, c: target, ldc: columns)
  }
}
