import Checkpoints
import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import Serving
import Testing
import Tokenization

/// A shop of two kinds of goods with its customers: even items and users belong together, and odd ones.
///
/// Its fine-tuned model lies in a folder that all tests read.
final class Shop: Sendable {
  static let shared = Result { try Shop() }

  let folder: URL
  let model: URL
  static let itemCount = 48
  static let userCount = 32
  /// Items from here on have no behaviours.
  static let warmCount = 40

  private init() throws {
    BLAS.useSingleThread()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-serving-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    model = folder.appendingPathComponent("shop", isDirectory: true)
    try Shop.recommender(seed: 3).write(to: model, modelCard: "A shop.\n")
  }

  static func recommender(seed: UInt64) throws -> Recommender {
    var generator = SeededGenerator(seed: seed)
    let texts = (0..<itemCount).map { item in
      let topic = item % 2 == 0 ? "sea" : "hill"
      return ((0..<6).map { _ in "\(topic)\(generator.uniform(below: 12))" } + ["the", "item"])
        .joined(separator: " ")
    }
    let ids = IDTable((0..<itemCount).map { "item \($0)" })
    var rows = Behaviors(
      users: IDTable((0..<userCount).map { "user \($0)" }), items: ids, userIndex: [],
      itemIndex: [], labels: [])
    for user in 0..<userCount {
      for item in 0..<warmCount where user % 2 == item % 2 && (user * 7 + item * 3) % 5 != 0 {
        rows.userIndex.append(Int32(user))
        rows.itemIndex.append(Int32(item))
        rows.labels.append(1)
      }
    }
    let columns = FeatureTable(
      columns: [
        .init(name: "aisle", values: (0..<itemCount).map { "\($0 % 3)|all" })
      ], rowCount: itemCount)
    var options = FinetuneOptions()
    options.towers.width = 16
    options.towers.hidden = 16
    options.towers.batch = 64
    options.towers.negatives = 16
    options.towers.maximumEpochs = 4
    options.towers.learningRate = 5e-3
    options.adapterKind = .none
    options.threads = 2
    return try Finetuner(model: encoder(), options: options).run(
      FinetuneInput(
        items: ItemTable(ids: ids, texts: texts, features: columns), behaviors: rows, users: nil,
        rule: PositiveRule(threshold: 1), report: DataReport()))
  }

  private static func encoder() throws -> PretrainedModel {
    let words = ["sea", "hill"].flatMap { topic in (0..<12).map { "\(topic)\($0)" } }
    let vocabulary = try Vocabulary(
      tokens: SpecialTokens().all + ["the", "item", "new", ".", "##s"] + words)
    return try PretrainedModel.create(
      configuration: EncoderConfiguration(
        vocabularySize: vocabulary.count, hiddenSize: 16, layerCount: 2, headCount: 2,
        intermediateSize: 32, maximumPositions: 32, initializerRange: 0.1),
      tokenizer: Tokenizer(vocabulary: vocabulary),
      sentence: SentenceSettings(maximumLength: 32), seed: 7)
  }

  /// A server of the shop; `change` sets options.
  func server(_ change: (inout ServerOptions) -> Void = { _ in }) throws -> Server {
    var options = ServerOptions(model: model)
    options.threads = 2
    options.logLevel = "critical"
    change(&options)
    return try Server(options)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}

/// Requests and their answers as JSON.
struct Client {
  let server: Server

  func send(
    _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil
  ) async -> (status: Int, body: JSONValue) {
    let halves = path.split(separator: "?", maxSplits: 1).map(String.init)
    let response = await server.api.respond(
      to: APIRequest(
        method, halves[0], query: halves.count > 1 ? halves[1] : "",
        body: body?.serialized() ?? [], authorization: key.map { "Bearer \($0)" }))
    return (response.status, (try? JSONValue.parse(response.body)) ?? .null)
  }

  func get(_ path: String) async -> JSONValue { await send("GET", path).body }

  /// Ids of a list's items.
  func ids(_ path: String) async -> [String] { Client.ids(await get(path)) }

  static func ids(_ list: JSONValue) -> [String] {
    (list["items"]?.arrayValue ?? []).compactMap { $0["item_id"]?.stringValue }
  }
}

extension JSONValue {
  /// Numbers of a list.
  var numbers: [Float] { (arrayValue ?? []).compactMap { $0.doubleValue.map { Float($0) } } }
}
