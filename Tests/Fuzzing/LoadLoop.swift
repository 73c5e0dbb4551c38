import Checkpoints
package import Foundation
import Kernels
import Recommendation

/// Loads models, embeds with them and lets them go, over and over: memory that isn't given back shows.
package struct LoadLoop {
  private let encoder: URL
  private let recommender: URL

  /// Loops over the golden encoder and a tiny recommender, which is made at `scratch` when it isn't there.
  package init(goldens: URL, scratch: URL) throws {
    BLAS.useSingleThread()
    encoder = goldens.appendingPathComponent("checkpoints/mlm")
    recommender = scratch
    if !RecommenderDirectory.isRecommender(scratch) { try TinyRecommender.write(to: scratch) }
  }

  /// One round: both directories loaded, a text embedded by each, all of it released.
  package func round() throws {
    let workers = Workers(count: 2)
    for storage in [WeightStorage.mapping, .memory] {
      let model = try PretrainedModel.load(from: encoder, storage: storage)
      _ = model.embedder(workers: workers).embed([[2, 9, 12, 3]])
    }
    let shop = try Recommender.load(from: recommender, workers: workers)
    _ = shop.embed(["word1 word2"], features: nil, workers: workers)
  }

  /// Bytes of the process that are in memory now.
  package static func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
      .split(separator: " ")
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
