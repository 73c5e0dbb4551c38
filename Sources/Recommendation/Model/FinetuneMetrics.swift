public import Metrics

/// Figures that fine-tuning measured on its inner validation, for the model card and for people.
public struct FinetuneMetrics: Sendable, Codable, Equatable {
  /// NDCG@20 of the fusion on items that played cold.
  public var coldNDCG = 0.0
  /// NDCG@20 of the fusion on held-out positives of warm items.
  public var warmNDCG = 0.0
  /// NDCG@20 of the fusion on both, weighed alike.
  public var balancedNDCG = 0.0
  /// NDCG@20 of each part alone on items that played cold.
  public var coldParts: [String: Double] = [:]
  /// NDCG@20 of each part alone on held-out positives of warm items.
  public var warmParts: [String: Double] = [:]
  /// Tower epochs until the best validation.
  public var towerEpochs = 0
  /// Validation of the towers on frozen vectors.
  public var frozenValidation = 0.0
  /// Validation with adapters, where they were trained.
  public var adapterValidation: Double?
  /// Parameters of the encoder that learned, where some did.
  public var adapterParameters: Int?
  /// Share of unknown pieces in the items' texts.
  public var unknownShare = 0.0
  /// Metrics of labels on held-out rows, for --loss bce and mse.
  public var labels: LabelMetrics?

  /// Creates empty figures.
  public init() {}
}
