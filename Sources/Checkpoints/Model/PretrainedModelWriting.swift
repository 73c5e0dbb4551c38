public import EncoderModel
public import Foundation
public import Kernels
import Tokenization

extension PretrainedModel {
  /// What a written directory holds.
  public enum Product: Sendable {
    /// `BertModel`: the encoder alone, tensors without prefix.
    case encoder
    /// `BertForMaskedLM`: the encoder under `bert.` and the tied head under `cls.`; the bag-of-words
    /// head is in a file of its own.
    case maskedLanguageModel
  }

  /// The file of our own head, apart so that transformers meets no tensor it doesn't know.
  static let bagOfWordsFile = "bag_of_words.safetensors"

  /// Writes a directory that AutoModel, AutoTokenizer, SentenceTransformer and
  /// text-embeddings-inference load.
  ///
  /// `weights` replaces the model's own under the same table, for example the best so far. Everything
  /// is flushed to the disk before anything of an older generation in `directory` is replaced, and
  /// weights appear last. `modelCard` becomes README.md, `metadata` goes into the weights' file.
  ///
  /// - Throws: ``CheckpointError`` when the product needs a head that the model lacks, or the disk
  ///   fails; then an older generation is intact.
  public func write(
    to directory: URL, product: Product, weights override: ParameterStore<Float>? = nil,
    modelCard: String, metadata: [(key: String, value: String)] = []
  ) throws {
    let weights = override ?? weights
    precondition(weights.count == self.weights.count, "weights of another model")
    if product == .maskedLanguageModel, maskedTokenHead == nil {
      throw CheckpointError(
        "the model has no masked-token head to write", path: directory.path,
        advice: "load it with its heads, or write the encoder alone")
    }
    let staging = try DirectoryStaging(directory)
    do {
      try FormatFile.write(kind: "pretrained", to: staging.folder)
      let names = try writeFiles(
        product, weights, modelCard: modelCard, metadata: metadata, to: staging.folder)
      try staging.publish([DirectoryStaging.marker] + names)
    } catch {
      staging.discard()
      throw error
    }
  }

  private func writeFiles(
    _ product: Product, _ weights: ParameterStore<Float>, modelCard: String,
    metadata: [(key: String, value: String)], to folder: URL
  ) throws -> [String] {
    let architecture = product == .encoder ? "BertModel" : "BertForMaskedLM"
    try ConfigurationFile.write(configuration, architecture: architecture, to: folder)
    var names = [ConfigurationFile.name, "README.md", DirectoryStaging.weights]
    names += try TokenizerFiles.write(
      tokenizer, maximumLength: sentence.maximumLength, to: folder)
    names += try SentenceFiles.write(sentence, width: configuration.hiddenSize, to: folder)
    try FileContents.save(
      Array(modelCard.utf8), to: folder.appendingPathComponent("README.md"))
    let entries = weights.table.entries
    let bag = entries.filter { $0.name.hasPrefix(TensorNames.bagOfWordsPrefix) }
    if product == .maskedLanguageModel, !bag.isEmpty {
      try PretrainedModel.write(
        bag.map { ($0.name, $0) }, of: weights, metadata: [],
        to: folder.appendingPathComponent(PretrainedModel.bagOfWordsFile))
      names.append(PretrainedModel.bagOfWordsFile)
    }
    let written: [(String, Parameter)] =
      product == .encoder
      ? entries.filter { !TensorNames.belongsToHead($0.name) }.map { ($0.name, $0) }
      : entries.filter { !$0.name.hasPrefix(TensorNames.bagOfWordsPrefix) }.map {
        (TensorNames.inMaskedLanguageModel($0.name), $0)
      }
    // transformers asks for this key; the others are ours.
    try PretrainedModel.write(
      written, of: weights, metadata: [("format", "pt")] + metadata,
      to: folder.appendingPathComponent(DirectoryStaging.weights))
    return names
  }

  private static func write(
    _ tensors: [(name: String, parameter: Parameter)], of weights: ParameterStore<Float>,
    metadata: [(key: String, value: String)], to url: URL
  ) throws {
    let writer = try SafeTensorsWriter(
      url, tensors: tensors.map { .init($0.name, shape: $0.parameter.shape) }, metadata: metadata)
    for (_, parameter) in tensors {
      try writer.append(
        UnsafeBufferPointer(start: weights[parameter], count: parameter.count))
    }
    try writer.finish()
  }
}
