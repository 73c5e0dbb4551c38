import Checkpoints
import EncoderModel
import Foundation

/// The model card of an exported model, in Hugging Face's form.
struct ExportCard {
  private let source: ExportSource
  private let name: String
  private let type: ExportType
  private let hasGraph: Bool

  init(_ source: ExportSource, name: String, type: ExportType, hasGraph: Bool) {
    self.source = source
    self.name = name
    self.type = type
    self.hasGraph = hasGraph
  }

  var text: String {
    let (c, s) = (source.model.configuration, source.model.sentence)
    let parameters = source.model.weights.table.entries.reduce(0) { $0 + $1.count }
    let width = s.projections.last?.outputs ?? s.pooling.outputWidth(c.hiddenSize)
    let steps =
      ["\(s.pooling.modes.map(\.rawValue).joined(separator: " + ")) pooling"]
      + s.projections.map { "a dense layer of \($0.outputs)" }
      + (s.normalize ? ["length 1"] : [])
    let tags =
      source.product == .maskedLanguageModel
      ? ["sentence-transformers", "feature-extraction", "fill-mask"]
      : ["sentence-transformers", "feature-extraction"]
    let prompts = s.prompts.map { "| prompt \($0.name) | `\($0.text)` |" }
    let rows = [
      "| layers, width, heads | \(c.layerCount), \(c.hiddenSize), \(c.headCount) |",
      "| vocabulary | \(c.vocabularySize) pieces, "
        + "\(source.model.tokenizer.options.lowercase ? "uncased" : "cased") |",
      "| parameters | \(parameters), stored as \(type.rawValue) |",
      "| longest text | \(s.maximumLength) tokens |",
      "| vectors | \(width) values: \(steps.joined(separator: ", ")) |",
    ]
    return """
      ---
      library_name: sentence-transformers
      pipeline_tag: sentence-similarity
      tags:
      \(tags.map { "- \($0)" }.joined(separator: "\n"))
      ---

      # \(name)

      A BERT encoder, exported by `encoder export`.

      | | |
      |---|---|
      \((rows + prompts).joined(separator: "\n"))

      \(usage)
      """
  }

  private var usage: String {
    var lines: [String] = []
    if source.product != .graphOnly {
      lines += [
        "    from sentence_transformers import SentenceTransformer",
        "    SentenceTransformer(\"PATH\").encode([\"a text\"])", "",
      ]
    }
    if hasGraph {
      lines += [
        "`onnx/model.onnx` takes `input_ids`, `attention_mask` and `token_type_ids` and gives "
          + "`sentence_embedding`, pooled and scaled as above, and `last_hidden_state`"
          + (source.graphAdapters == nil ? "." : "; the adapters are part of it."), "",
      ]
    }
    lines += ["The vectors reflect the texts that the model was trained on.", ""]
    return lines.joined(separator: "\n")
  }
}
