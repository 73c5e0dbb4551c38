internal import CKernels
internal import RealModule

/// The constants of an AdamW optimizer; the defaults are PyTorch's.
public struct AdamWConfiguration: Sendable, Codable, Equatable {
  /// The peak step length; schedules scale it.
  public var learningRate: Double
  /// The decay of the gradients' running mean.
  public var beta1: Double
  /// The decay of the squared gradients' running mean.
  public var beta2: Double
  /// What is added to the denominator.
  public var epsilon: Double
  /// The decoupled weight decay, as a share of the learning rate.
  public var weightDecay: Double

  /// Creates a configuration; everything has PyTorch's default.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0.01
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as `torch.optim.AdamW` steps.
public enum AdamW {
  /// One step over `count` parameters and their moments, in one pass.
  ///
  /// `first` and `second` are the running means of the gradient and of its square, zero before step
  /// 1. Gradients are multiplied by `gradientScale` first (clipping). `learningRate` is this step's
  /// rate, `step` counts from 1, and `decay` says whether the weights shrink by
  /// `learningRate * weightDecay`; biases and layer norms usually don't.
  public static func step<S: KernelScalar>(
    parameters: UnsafeMutablePointer<S>, gradients: UnsafePointer<S>,
    first: UnsafeMutablePointer<S>, second: UnsafeMutablePointer<S>, count: Int,
    configuration: AdamWConfiguration, learningRate: S, step: Int, decay: Bool, gradientScale: S
  ) {
    precondition(step >= 1, "AdamW counts steps from 1")
    guard S.self == Float.self else {
      return stepTwin(
        parameters: parameters, gradients: gradients, first: first, second: second, count: count,
        configuration: configuration, learningRate: learningRate, step: step, decay: decay,
        gradientScale: gradientScale)
    }
    let factors = Factors(configuration, Double(learningRate), step: step, decay: decay)
    ck_adamw(
      parameters.floats, gradients.floats, first.floats, second.floats, count,
      Float(gradientScale), Float(factors.keep), Float(1 - configuration.beta1),
      Float(configuration.beta2), Float(1 - configuration.beta2), Float(factors.stepSize),
      Float(factors.rootCorrection), Float(configuration.epsilon))
  }

  package static func stepTwin<S: KernelScalar>(
    parameters: UnsafeMutablePointer<S>, gradients: UnsafePointer<S>,
    first: UnsafeMutablePointer<S>, second: UnsafeMutablePointer<S>, count: Int,
    configuration: AdamWConfiguration, learningRate: S, step: Int, decay: Bool, gradientScale: S
  ) {
    let factors = Factors(configuration, Double(learningRate), step: step, decay: decay)
    let (beta1, beta2) = (S(configuration.beta1), S(configuration.beta2))
    for i in 0..<count {
      let g = gradients[i] * gradientScale
      first[i] = beta1 * first[i] + (1 - beta1) * g
      second[i] = beta2 * second[i] + (1 - beta2) * g * g
      let scale = S.sqrt(second[i]) / S(factors.rootCorrection) + S(configuration.epsilon)
      parameters[i] = parameters[i] * S(factors.keep) - S(factors.stepSize) * first[i] / scale
    }
  }
}

/// What a step needs of the configuration, computed once in Double.
private struct Factors {
  let keep: Double
  let stepSize: Double
  let rootCorrection: Double

  init(_ configuration: AdamWConfiguration, _ learningRate: Double, step: Int, decay: Bool) {
    keep = decay ? 1 - learningRate * configuration.weightDecay : 1
    stepSize = learningRate / (1 - Double.pow(configuration.beta1, step))
    rootCorrection = Double.sqrt(1 - Double.pow(configuration.beta2, step))
  }
}
