import Kernels
import Recommendation

/// Turns texts into the item tower's vectors of a fine-tuned model; features count as missing.
struct RecommenderVectorizer: TextVectorizer {
  let recommender: Recommender
  let workers: Workers
  /// Whether every text is computed by itself.
  var isExact = false

  var width: Int { recommender.models.network.configuration.width }

  var maximumLength: Int {
    min(recommender.options.maximumLength, recommender.model.sentence.maximumLength)
  }

  func vectors(_ texts: [String]) throws -> (values: [Float], cutCount: Int) {
    let lengths = recommender.model.tokenizer.encodeBatch(
      texts, maximumLength: maximumLength + 1, threads: workers.count)
    let groups = isExact ? texts.map { [$0] } : [texts]
    return (
      groups.flatMap { recommender.embed($0, features: nil, workers: workers).towers.values },
      lengths.reduce(0) { $0 + ($1.count > maximumLength ? 1 : 0) }
    )
  }
}
