import Foundation

/// Turns scores into probabilities, p = sigmoid(slope * score + intercept) (Platt 1999).
public struct PlattScaling: Sendable, Codable, Equatable {
  /// Factor of the score.
  public var slope: Double
  /// Added to the scaled score.
  public var intercept: Double

  /// One labelled score.
  package struct Sample {
    let score: Double
    let isPositive: Bool
    let weight: Double

    package init(score: Double, isPositive: Bool, weight: Double) {
      self.score = score
      self.isPositive = isPositive
      self.weight = weight
    }
  }

  /// Creates a scaling; the default leaves logits as they are.
  public init(slope: Double = 1, intercept: Double = 0) {
    self.slope = slope
    self.intercept = intercept
  }

  /// The probability of a score.
  public func probability(_ score: Double) -> Double {
    1 / (1 + exp(-(slope * score + intercept)))
  }

  /// Weighted logistic regression by Newton's method with step halving, on Platt's smoothed targets;
  /// without both classes the identity.
  package static func fit(_ samples: [Sample]) -> PlattScaling {
    let positives = samples.reduce(0) { $0 + ($1.isPositive ? $1.weight : 0) }
    let negatives = samples.reduce(0) { $0 + ($1.isPositive ? 0 : $1.weight) }
    guard positives > 0, negatives > 0 else { return PlattScaling() }
    let (high, low) = ((positives + 1) / (positives + 2), 1 / (negatives + 2))
    func loss(_ s: PlattScaling) -> Double {
      samples.reduce(0) { sum, sample in
        let z = s.slope * sample.score + s.intercept
        let target = sample.isPositive ? high : low
        return sum + sample.weight * (max(z, 0) - z * target + log1p(exp(-abs(z))))
      }
    }
    var scaling = PlattScaling(slope: 0, intercept: log(positives / negatives))
    var current = loss(scaling)
    for _ in 0..<50 {
      var (ga, gb, haa, hab, hbb) = (0.0, 0.0, 1e-9, 0.0, 1e-9)
      for sample in samples {
        let p = scaling.probability(sample.score)
        let residual = sample.weight * (p - (sample.isPositive ? high : low))
        let curvature = sample.weight * p * (1 - p)
        ga += residual * sample.score
        gb += residual
        haa += curvature * sample.score * sample.score
        hab += curvature * sample.score
        hbb += curvature
      }
      let determinant = haa * hbb - hab * hab
      guard determinant > 0 else { break }
      let step = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant)
      var rate = 1.0
      var next = scaling
      repeat {
        next = PlattScaling(
          slope: scaling.slope - rate * step.0, intercept: scaling.intercept - rate * step.1)
        rate /= 2
      } while loss(next) > current && rate > 1e-6
      let value = loss(next)
      if current - value < 1e-10 * current { break }
      (scaling, current) = (next, value)
    }
    return scaling
  }
}
