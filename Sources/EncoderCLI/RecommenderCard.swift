import Foundation
import Recommendation

/// The model card of a fine-tuned recommender, in Hugging Face's form.
struct RecommenderCard {
  let recommender: Recommender
  let name: String

  init(_ recommender: Recommender, name: String) {
    self.recommender = recommender
    self.name = name
  }

  var text: String {
    let (m, r) = (recommender.metrics, recommender)
    let parts = m.coldParts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      String(format: "| %@ | %.4f | %.4f |", $0.key, $0.value, m.warmParts[$0.key] ?? .nan)
    }
    let alone = m.warmParts.filter { m.coldParts[$0.key] == nil }.sorted { $0.key < $1.key }.map {
      String(format: "| %@ | - | %.4f |", $0.key, $0.value)
    }
    let adapters =
      m.adapterValidation.map {
        String(
          format: "%@, %d parameters: %.4f with them, %.4f without; %@",
          r.options.adapterKind.rawValue, m.adapterParameters ?? 0, $0, m.frozenValidation,
          r.adapters == nil ? "left out" : "kept")
      } ?? String(format: "not trained; towers alone %.4f", m.frozenValidation)
    return """
      ---
      library_name: encoder
      tags:
      - recommendation
      - cold-start
      ---

      # \(name)

      Ranks \(r.items.count) items, new ones among them, for \(r.users.count) users. Fine-tuned by \
      `encoder finetune` on \(r.report.positives) positive behaviours (\(r.rule.reason)).

      | NDCG@20 on the program's own validation | new items | items with behaviours |
      |---|---|---|
      | fusion | \(String(format: "%.4f | %.4f", m.coldNDCG, m.warmNDCG)) |
      \((parts + alone).joined(separator: "\n"))

      - Fusion: \(r.fusion.summary)
      - Adapters: \(adapters)
      - Loss: \(r.options.towers.loss.rawValue), seed \(r.options.seed)\
      \(m.labels.map { "; held-out labels: \($0.summary)" } ?? "")
      - Unknown pieces in the texts: \(String(format: "%.2f%%", 100 * m.unknownShare))

      New items were imitated by warm items whose behaviours were hidden. The folder holds users' \
      histories: treat it as personal data.

      """
  }
}
