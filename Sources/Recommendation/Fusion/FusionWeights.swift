import Foundation

/// The learned weights of the fusion.
///
/// Each part's scores are standardised user by user over the catalogue. An item with n behaviours gets
/// g(n) * warm + (1 - g(n)) * (scale * cold + shift), g(n) = n / (n + halfCount): text alone decides on
/// a new item, and the more behaviours an item has, the more its own ones do.
public struct FusionWeights: Sendable, Codable, Equatable {
  /// Weights for items without behaviours.
  public var cold: [ScorePart: Double]
  /// Weights for items with behaviours.
  public var warm: [ScorePart: Double]
  /// Behaviours at which text and behaviours weigh the same; 0 means behaviours alone decide.
  public var halfCount: Double
  /// Puts cold scores on the scale of warm ones.
  public var coldScale: Double
  /// Puts cold scores on the scale of warm ones.
  public var coldShift: Double

  /// Creates weights.
  public init(
    cold: [ScorePart: Double], warm: [ScorePart: Double], halfCount: Double = 0,
    coldScale: Double = 1, coldShift: Double = 0
  ) {
    self.cold = cold
    self.warm = warm
    self.halfCount = halfCount
    self.coldScale = coldScale
    self.coldShift = coldShift
  }

  /// The share of the warm score in the score of an item with `count` behaviours.
  public func gate(_ count: Float) -> Float {
    guard count > 0 else { return 0 }
    return count / (count + Float(halfCount))
  }

  /// The parts that have a weight, in the order in which they are computed.
  public var parts: [ScorePart] {
    ScorePart.allCases.filter { cold[$0] ?? 0 != 0 || warm[$0] ?? 0 != 0 }
  }

  /// One line for people: the parts with their weights.
  public var summary: String {
    func list(_ weights: [ScorePart: Double]) -> String {
      ScorePart.allCases.compactMap { part in
        weights[part].flatMap { $0 == 0 ? nil : String(format: "%@ %.2f", part.rawValue, $0) }
      }.joined(separator: ", ")
    }
    return "new items: \(list(cold)); items with behaviours: \(list(warm)); "
      + String(
        format: "half weight at %g behaviours; new items' scores x %.2f %+.2f", halfCount,
        coldScale, coldShift)
  }
}

extension FusionWeights {
  private enum CodingKeys: String, CodingKey {
    case cold, warm
    case halfCount = "half_count"
    case coldScale = "cold_scale"
    case coldShift = "cold_shift"
  }

  /// Reads the weights by the parts' names.
  ///
  /// - Throws: `DecodingError` for an unknown part.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func weights(_ key: CodingKeys) throws -> [ScorePart: Double] {
      var result: [ScorePart: Double] = [:]
      for (name, value) in try values.decode([String: Double].self, forKey: key) {
        guard let part = ScorePart(rawValue: name) else {
          throw DecodingError.dataCorruptedError(
            forKey: key, in: values, debugDescription: "unknown part of the fusion: \(name)")
        }
        result[part] = value
      }
      return result
    }
    self.init(
      cold: try weights(.cold), warm: try weights(.warm),
      halfCount: try values.decode(Double.self, forKey: .halfCount),
      coldScale: try values.decode(Double.self, forKey: .coldScale),
      coldShift: try values.decode(Double.self, forKey: .coldShift))
  }

  /// Writes the weights under the parts' names.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    func named(_ weights: [ScorePart: Double]) -> [String: Double] {
      Dictionary(uniqueKeysWithValues: weights.map { ($0.key.rawValue, $0.value) })
    }
    try values.encode(named(cold), forKey: .cold)
    try values.encode(named(warm), forKey: .warm)
    try values.encode(halfCount, forKey: .halfCount)
    try values.encode(coldScale, forKey: .coldScale)
    try values.encode(coldShift, forKey: .coldShift)
  }
}
