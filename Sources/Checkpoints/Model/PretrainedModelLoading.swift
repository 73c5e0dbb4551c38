import EncoderModel
public import Foundation
import Tokenization

extension PretrainedModel {
  /// Loads a directory of transformers, sentence-transformers or our own.
  ///
  /// `heads` says which pretraining heads the model gets; those that the directory lacks are drawn
  /// at random from `seed` and listed in ``newTensors``. `storage` says where the weights will be: in
  /// memory that may be changed, or, for models that are only read, where the file is.
  ///
  /// - Throws: ``CheckpointError`` that names the file and the tensor or key: no BERT encoder, a
  ///   tensor that is missing, has another shape or isn't finite, a damaged file;
  ///   `TokenizationError` for the vocabulary.
  public static func load(
    from directory: URL, heads: HeadSelection = .none, seed: UInt64 = 42,
    storage: WeightStorage = .memory
  ) throws -> PretrainedModel {
    guard FileSystem.isDirectory(directory) else {
      throw CheckpointError(
        "there is no such folder", path: directory.path,
        advice: "give a checkpoint's folder, with config.json and model.safetensors")
    }
    try FormatFile.check(directory)
    let files = try SentenceFiles.read(directory)
    let contents = try ConfigurationFile.read(files.modelFolder)
    let configuration = contents.configuration
    let tokenizer = try TokenizerFiles.read(
      files.modelFolder, lowercasesText: files.lowercasesText)
    try check(tokenizer, configuration, path: files.modelFolder.path)
    var sentence = files.settings
    sentence.maximumLength = min(sentence.maximumLength, configuration.maximumPositions)
    guard sentence.maximumLength >= 3 else {
      throw CheckpointError(
        "a length of \(sentence.maximumLength) tokens leaves no room for text",
        path: files.modelFolder.path, item: "max_seq_length", advice: "make it 3 at least")
    }
    try checkProjections(sentence, configuration, path: directory.path)
    let loader = try WeightLoader(files.modelFolder, contents: contents)
    let tiesDecoder =
      contents.tiesWordEmbeddings || !loader.storedHeads.contains(.maskedTokens)
    let plan = Plan(configuration, heads: heads, tiesDecoder: tiesDecoder)
    let (weights, fresh) = try loader.load(plan, seed: seed, storage: storage)
    return PretrainedModel(
      plan: plan, weights: weights, tokenizer: tokenizer, sentence: sentence,
      newTensors: fresh)
  }

  /// Which pretraining heads a directory holds.
  ///
  /// - Throws: ``CheckpointError`` as ``load(from:heads:seed:storage:)`` does.
  public static func storedHeads(in directory: URL) throws -> HeadSelection {
    let folder = try SentenceFiles.read(directory).modelFolder
    return try WeightLoader(folder, contents: ConfigurationFile.read(folder)).storedHeads
  }

  /// Dense layers must take what pooling, or the layer before, gives.
  private static func checkProjections(
    _ sentence: SentenceSettings, _ configuration: EncoderConfiguration, path: String
  ) throws {
    var width = sentence.pooling.outputWidth(configuration.hiddenSize)
    for projection in sentence.projections {
      guard projection.inputs == width else {
        throw CheckpointError(
          "a Dense module takes \(projection.inputs) values and gets \(width)", path: path,
          item: "in_features", advice: "check that modules.json and config.json belong together")
      }
      width = projection.outputs
    }
  }
}
