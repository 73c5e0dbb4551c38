public import EncoderModel
public import Kernels

/// AdamW with global-norm clipping over a parameter table, in parallel and in a fixed order of sums.
public final class Optimizer {
  /// The weights that are updated.
  public let weights: ParameterStore<Float>
  /// First moments.
  public let first: ParameterStore<Float>
  /// Second moments.
  public let second: ParameterStore<Float>
  /// Gradients, one store a worker; ``step(learningRate:)`` sums and zeroes them.
  public let gradients: [ParameterStore<Float>]
  /// Steps taken.
  public var stepCount = 0
  private let configuration: AdamWConfiguration
  private let clipNorm: Double?
  private let workers: Workers

  /// Creates an optimizer; `clipNorm` nil leaves gradients as they are.
  public init(
    weights: ParameterStore<Float>, configuration: AdamWConfiguration, clipNorm: Double?,
    workers: Workers
  ) {
    self.weights = weights
    self.configuration = configuration
    self.clipNorm = clipNorm
    self.workers = workers
    first = ParameterStore(weights.table)
    second = ParameterStore(weights.table)
    gradients = (0..<workers.count).map { _ in ParameterStore(weights.table) }
  }

  /// Sums the workers' gradients, clips, updates the trainable weights and zeroes the gradients.
  ///
  /// Returns the gradient norm before clipping. Where that isn't finite, weights, moments and step
  /// count stay as they are.
  public func step(learningRate: Double) -> Double {
    reduce()
    let norm = gradientNorm()
    guard norm.isFinite else {
      for store in gradients { store.zero() }
      return norm
    }
    stepCount += 1
    let scale = clipNorm.map { norm > $0 ? $0 / (norm + 1e-6) : 1 } ?? 1
    let (step, workers) = (stepCount, workers)
    workers.runRanges(weights.count) { _, range in
      for entry in self.weights.table.entries where entry.isTrainable {
        let part = range.clamped(to: entry.range)
        guard !part.isEmpty else { continue }
        AdamW.step(
          parameters: self.weights.base + part.lowerBound,
          gradients: self.gradients[0].base + part.lowerBound,
          first: self.first.base + part.lowerBound, second: self.second.base + part.lowerBound,
          count: part.count, configuration: self.configuration,
          learningRate: Float(learningRate), step: step, decay: entry.decays,
          gradientScale: Float(scale))
      }
      for store in self.gradients {
        (store.base + range.lowerBound).update(repeating: 0, count: range.count)
      }
    }
    return norm
  }

  /// Adds the other workers' gradients to those of worker 0, in order of worker for every element.
  private func reduce() {
    guard gradients.count > 1 else { return }
    workers.runRanges(weights.count) { _, range in
      for other in self.gradients.dropFirst() {
        Reduction.add(
          into: self.gradients[0].base + range.lowerBound, other.base + range.lowerBound,
          count: range.count)
      }
    }
  }

  /// One partial sum a tensor, added in table order: the same for any number of threads.
  private func gradientNorm() -> Double {
    let entries = weights.table.entries.filter(\.isTrainable)
    let sums = UnsafeMutableBufferPointer<Double>.allocate(capacity: entries.count)
    defer { sums.deallocate() }
    let target = UnsafeSendable(sums)
    workers.run { worker in
      for index in stride(from: worker, to: entries.count, by: self.workers.count) {
        target.value[index] = Reduction.sumOfSquares(
          self.gradients[0][entries[index]], count: entries[index].count)
      }
    }
    return sums.reduce(0, +).squareRoot()
  }
}

extension Optimizer: @unchecked Sendable {}
