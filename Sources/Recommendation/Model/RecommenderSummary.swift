import Datasets

/// `recommender.json`: the options, weights and figures of a fine-tuned model.
struct RecommenderSummary: Codable {
  var formatVersion = 1
  var kind = "recommender"
  var options: FinetuneOptions
  var rule: PositiveRule
  var tower: TowerConfiguration
  var fusion: FusionWeights
  var calibration: PlattScaling
  var words: TFIDF.Options
  var itemSchema: FeatureSchema?
  var userSchema: FeatureSchema?
  var itemVectors: [VectorBlock]?
  var als: ImplicitALS.Options
  var easeKeptShare: Double
  var easePenalty: Double?
  var pooledWidth: Int
  var baseChecksum: String
  var hasAdapters: Bool
  var metrics: FinetuneMetrics
  var report: DataReport

  enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case kind, options, rule, tower, fusion, calibration, words
    case itemSchema = "item_features"
    case userSchema = "user_features"
    case itemVectors = "item_vectors"
    case als
    case easeKeptShare = "ease_kept_share"
    case easePenalty = "ease_penalty"
    case pooledWidth = "pooled_width"
    case baseChecksum = "base_checksum"
    case hasAdapters = "has_adapters"
    case metrics
    case report = "data_report"
  }
}
