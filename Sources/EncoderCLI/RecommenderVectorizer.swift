import Datasets
import Kernels
import Recommendation

/// Turns texts, with the columns that training had, into the item tower's vectors of a fine-tuned model.
///
/// Vectors of images and the like (`--item-vectors` of fine-tuning) count as missing.
struct RecommenderVectorizer: TextVectorizer {
  let recommender: Recommender
  let workers: Workers
  /// Whether every text is computed by itself.
  var isExact = false

  var width: Int { recommender.models.network.configuration.width }

  var maximumLength: Int { recommender.maximumLength }

  var featureColumns: [String] { recommender.itemSchema?.columns.map(\.name) ?? [] }

  func vectors(
    _ texts: [String], features: FeatureTable?
  ) throws -> (values: [Float], cutCount: Int) {
    let lengths = recommender.model.tokenizer.encodeBatch(
      texts, maximumLength: maximumLength + 1, threads: workers.count)
    let groups: [Range<Int>] =
      isExact ? texts.indices.map { $0..<($0 + 1) } : [texts.indices]
    return (
      groups.flatMap { group in
        recommender.towerVectors(
          Array(texts[group]), features: features?.rows(group), workers: workers
        ).values
      },
      lengths.reduce(0) { $0 + ($1.count > maximumLength ? 1 : 0) }
    )
  }
}
