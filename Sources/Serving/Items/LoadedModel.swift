import Checkpoints
import Datasets
import Foundation
import Kernels
import Recommendation
import Synchronization

/// One version of a model, loaded and ready.
final class LoadedModel: Sendable {
  /// The version's directory.
  let directory: URL
  /// The directory's name, by which clients call the model.
  let name: String
  /// The version, which changes when the model is replaced.
  let version: String
  let engine: EmbeddingEngine
  /// The recommender; nil for an encoder alone.
  let online: OnlineModel?
  /// Seconds since 1970.
  let loadedAt: Double
  /// Changes with the version's files.
  let fingerprint: UInt64

  /// Loads a directory, `name` is what clients call it.
  ///
  /// - Throws: `CheckpointError` that names the file and what is wrong with it.
  init(directory: URL, name: String, version: String, options: ServerOptions) throws {
    self.directory = directory
    self.name = name
    self.version = version
    let workers = Workers(count: options.threads)
    let isRecommender = RecommenderDirectory.isRecommender(directory)
    let recommender =
      isRecommender ? try Recommender.load(from: directory, workers: workers) : nil
    let model = try recommender?.model ?? PretrainedModel.load(from: directory, storage: .mapping)
    online = try recommender.map { try OnlineModel($0, workers: workers) }
    engine = EmbeddingEngine(
      model: model, recommender: recommender, threads: workers.count,
      batchTokens: options.batchTokens, isExact: options.isExact, cacheSize: options.cacheSize)
    fingerprint = LoadedModel.fingerprint(directory)
    loadedAt = Date().timeIntervalSince1970.rounded(.down)
  }

  /// A hash of names, sizes and times of the files in a version's directory, other versions apart.
  private static func fingerprint(_ directory: URL) -> UInt64 {
    var lines: [String] = []
    let root = directory.resolvingSymlinksInPath().path
    let names = FileManager.default.enumerator(atPath: root)
    while let name = names?.nextObject() as? String {
      guard name != "versions" else {
        names?.skipDescendants()
        continue
      }
      var status = stat()
      guard ["safetensors", "csv", "json", "txt"].contains(where: { name.hasSuffix(".\($0)") }),
        stat(root + "/" + name, &status) == 0
      else { continue }
      let time = status.st_mtim
      lines.append("\(name) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)")
    }
    return portableHash(lines.sorted().joined(separator: "\n"))
  }

  /// What clients may ask for: the model, and for a fine-tuned one its encoder as `NAME:base`.
  var modelNames: [String] { online == nil ? [name] : [name, name + ":base"] }

  /// The vectors that a model's name stands for.
  ///
  /// - Throws: ``APIError`` for a name that the server doesn't have.
  func output(named wanted: String) throws -> EmbeddingOutput {
    let names = modelNames
    guard let place = names.firstIndex(where: { $0.utf8.elementsEqual(wanted.utf8) }) else {
      throw APIError(
        kind: .notFound,
        message: "the server has no model of that name; it has \(names.joined(separator: ", "))",
        field: "model")
    }
    return online != nil && place == 0 ? .tower : .encoder()
  }

  /// What the model's directory puts before texts.
  var defaultPrompt: String {
    let sentence = engine.model.sentence
    return sentence.defaultPromptName.flatMap { sentence.prompt(named: $0) } ?? ""
  }
}

/// Holds the version in use; a request keeps the one that it began with.
final class ModelHost: Sendable {
  private let state: Mutex<LoadedModel>

  init(_ model: LoadedModel) { state = Mutex(model) }

  /// The version in use.
  var current: LoadedModel { state.withLock { $0 } }

  /// Puts another version in use.
  func replace(with model: LoadedModel) { state.withLock { $0 = model } }
}
