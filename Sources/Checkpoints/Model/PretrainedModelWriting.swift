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
    /// No weights of their own: the ONNX graph alone, with tokenizer and settings.
    case graphOnly
  }

  /// The file of our own head, apart so that transformers meets no tensor it doesn't know.
  static let bagOfWordsFile = "bag_of_words.safetensors"

  /// Writes a directory that AutoModel, AutoTokenizer, SentenceTransformer and
  /// text-embeddings-inference load.
  ///
  /// `weights` replaces the model's own under the same table, for example the best so far. Everything
  /// is flushed to the disk before anything of an older generation in `directory` is replaced, and
  /// weights appear last. `type` is what the weights' elements are rounded to: F32, F16 or BF16.
  /// With `graph`, `onnx/model.onnx` holds the same encoder, pooling and normalisation for ONNX Runtime,
  /// opset 17. `modelCard` becomes README.md, `metadata` goes into the weights' file.
  ///
  /// - Throws: ``CheckpointError`` when the product needs a head that the model lacks, a weight is too
  ///   large for F16, or the disk fails; then an older generation is intact.
  public func write(
    to directory: URL, product: Product, weights override: ParameterStore<Float>? = nil,
    type: TensorType = .float32, graph: Graph? = nil, modelCard: String,
    metadata: [(key: String, value: String)] = []
  ) throws {
    let weights = override ?? weights
    precondition(weights.count == self.weights.count, "weights of another model")
    if product == .maskedLanguageModel, maskedTokenHead == nil {
      throw CheckpointError(
        "the model has no masked-token head to write", path: directory.path,
        advice: "load it with its heads, or write the encoder alone")
    }
    precondition(product != .graphOnly || graph != nil, "no graph and no weights")
    let staging = try DirectoryStaging(directory)
    do {
      try FormatFile.write(kind: "pretrained", to: staging.folder)
      var names = try writeFiles(
        product, weights, type, modelCard: modelCard, metadata: metadata, to: staging.folder)
      if let graph {
        names.append(try write(graph, weights, type, to: staging.folder))
      }
      try staging.publish([DirectoryStaging.marker] + names)
    } catch {
      staging.discard()
      throw error
    }
  }

  private func writeFiles(
    _ product: Product, _ weights: ParameterStore<Float>, _ type: TensorType, modelCard: String,
    metadata: [(key: String, value: String)], to folder: URL
  ) throws -> [String] {
    let architecture = product == .maskedLanguageModel ? "BertForMaskedLM" : "BertModel"
    let tiesDecoder = product != .maskedLanguageModel || maskedTokenHead?.tiesDecoder ?? true
    try ConfigurationFile.write(
      configuration, architecture: architecture, tiesWordEmbeddings: tiesDecoder, type: type,
      to: folder)
    var names = [ConfigurationFile.name, "README.md"]
    names += try TokenizerFiles.write(
      tokenizer, maximumLength: sentence.maximumLength, to: folder)
    names += try SentenceFiles.write(
      sentence, width: configuration.hiddenSize, type: type, to: folder)
    try FileContents.save(
      Array(modelCard.utf8), to: folder.appendingPathComponent("README.md"))
    guard product != .graphOnly else { return names }
    names.append(DirectoryStaging.weights)
    let entries = weights.table.entries
    let bag = entries.filter { $0.name.hasPrefix(TensorNames.bagOfWordsPrefix) }
    if product == .maskedLanguageModel, !bag.isEmpty {
      try PretrainedModel.write(
        bag.map { ($0.name, $0) }, of: weights, type, metadata: [],
        to: folder.appendingPathComponent(PretrainedModel.bagOfWordsFile))
      names.append(PretrainedModel.bagOfWordsFile)
    }
    var written: [(String, Parameter)] =
      product == .encoder
      ? entries.filter { !TensorNames.belongsToHead($0.name) }.map { ($0.name, $0) }
      : entries.filter { !$0.name.hasPrefix(TensorNames.bagOfWordsPrefix) }.map {
        (TensorNames.inMaskedLanguageModel($0.name), $0)
      }
    if !tiesDecoder, let bias = weights.table[TensorNames.decoderBias] {
      // transformers 5 computes an untied decoder with the one, transformers 4 with the other.
      written.append((TensorNames.oldDecoderBias, bias))
    }
    // transformers asks for this key; the others are ours.
    try PretrainedModel.write(
      written, of: weights, type, metadata: [("format", "pt")] + metadata,
      to: folder.appendingPathComponent(DirectoryStaging.weights))
    return names
  }

  private static func write(
    _ tensors: [(name: String, parameter: Parameter)], of weights: ParameterStore<Float>,
    _ type: TensorType, metadata: [(key: String, value: String)], to url: URL
  ) throws {
    let writer = try SafeTensorsWriter(
      url, tensors: tensors.map { .init($0.name, shape: $0.parameter.shape, type: type) },
      metadata: metadata)
    for (_, parameter) in tensors {
      try writer.append(
        UnsafeBufferPointer(start: weights[parameter], count: parameter.count))
    }
    try writer.finish()
  }
}
