package import Kernels

/// The dropout of one training step: rates, and a key from which each place derives its own mask.
public struct DropoutPlan: Sendable {
  /// A place in the network where dropout applies.
  package enum Site: UInt64, CaseIterable {
    case embeddings, attentionProbabilities, attentionOutput, feedForwardOutput
  }

  let hiddenRate: Double
  let attentionRate: Double
  let key: UInt64

  /// Creates the plan of one micro-batch; `key` must differ between steps and workers.
  ///
  /// Returns `nil` when both rates are 0, so that inference and dropout-free training take one path.
  public init?(hiddenRate: Double, attentionRate: Double, key: UInt64) {
    guard hiddenRate > 0 || attentionRate > 0 else { return nil }
    self.hiddenRate = hiddenRate
    self.attentionRate = attentionRate
    self.key = key
  }

  /// The mask of one place; `nil` where nothing is dropped.
  package func dropout(_ site: Site, layer: Int) -> Dropout? {
    let rate = site == .attentionProbabilities ? attentionRate : hiddenRate
    guard rate > 0 else { return nil }
    // SplitMix64's finalizer (Steele et al. 2014) spreads (key, layer, site) over all bits.
    var z = key &+ 0x9E37_79B9_7F4A_7C15 &* (UInt64(layer + 1) &* 8 &+ site.rawValue)
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Dropout(rate: rate, key: z ^ (z >> 31))
  }
}
