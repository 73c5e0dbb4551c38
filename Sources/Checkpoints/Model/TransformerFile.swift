import Foundation
import Tokenization

/// `sentence_bert_config.json`, and what else decides how a text reaches the Transformer module.
enum TransformerFile {
  static let name = "sentence_bert_config.json"
  /// Old sentence-transformers named the file after the class; the first that exists counts.
  private static let names = [
    name, "sentence_roberta_config.json", "sentence_distilbert_config.json",
    "sentence_camembert_config.json", "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json",
  ]

  struct Contents {
    /// The length in the file, else the tokenizer's; positions will cap it.
    var maximumLength: Int
    /// Whether texts are lowercased whatever the tokenizer says.
    var lowercasesText: Bool
  }

  /// Reads the file, unless no modules.json names the module: then the tokenizer alone decides.
  static func read(_ folder: URL, isNamed: Bool) throws -> Contents {
    let urls = names.map { folder.appendingPathComponent($0) }
    guard isNamed, let url = urls.first(where: FileSystem.exists) else {
      return Contents(maximumLength: try tokenizerLength(folder), lowercasesText: false)
    }
    let file = try JSONFile(url)
    try check(file)
    return Contents(
      maximumLength: try file.integer("max_seq_length") ?? tokenizerLength(folder),
      lowercasesText: try file.flag("do_lower_case") ?? false)
  }

  /// Version 6 can pool other outputs than the last hidden states, and run other tasks.
  private static func check(_ file: JSONFile) throws {
    func refuse(_ what: String, _ key: String) -> CheckpointError {
      CheckpointError(
        "\(what) isn't supported", path: file.url.path, item: key,
        advice: "use a model whose vectors are pooled from the last hidden states")
    }
    if let task = try file.string("transformer_task"), task != "feature-extraction" {
      throw refuse("the task \(task)", "transformer_task")
    }
    if let name = try file.string("module_output_name"), name != "token_embeddings" {
      throw refuse("the output \(name)", "module_output_name")
    }
    if let output = file.root["modality_config"]?["text"]?["method_output_name"]?.stringValue,
      output != "last_hidden_state"
    {
      throw refuse("pooling of \(output)", "modality_config")
    }
    if let other = try file.string("tokenizer_name_or_path"), !other.isEmpty {
      throw CheckpointError(
        "the tokenizer is in another folder, \(other)", path: file.url.path,
        item: "tokenizer_name_or_path",
        advice: "copy its files into the model's folder and remove the key")
    }
  }

  /// `model_max_length`; transformers writes 1e30 where there is none.
  private static func tokenizerLength(_ folder: URL) throws -> Int {
    let file = folder.appendingPathComponent("tokenizer_config.json")
    let length = try JSONFile.ifPresent(file)?.number("model_max_length")
    return length.flatMap { Int(exactly: $0.rounded(.down)) } ?? .max
  }
}
