import EncoderModel
public import Foundation
import Tokenization

extension PretrainedModel {
  /// Loads a directory of transformers, sentence-transformers or our own.
  ///
  /// `heads` says which pretraining heads the model gets; those that the directory lacks are drawn
  /// at random from `seed` and listed in ``newTensors``.
  ///
  /// - Throws: ``CheckpointError`` that names the file and the tensor or key: no BERT encoder, a
  ///   tensor that is missing, has another shape or isn't finite, a damaged file;
  ///   `TokenizationError` for the vocabulary.
  public static func load(
    from directory: URL, heads: HeadSelection = .none, seed: UInt64 = 42
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
    let plan = Plan(configuration, heads: heads)
    let loader = try WeightLoader(files.modelFolder, contents: contents)
    let (weights, fresh) = try loader.load(plan, seed: seed)
    return PretrainedModel(
      plan: plan, weights: weights, tokenizer: tokenizer, sentence: sentence,
      newTensors: fresh)
  }
}
