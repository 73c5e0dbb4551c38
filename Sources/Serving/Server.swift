import Foundation
import Kernels
import Logging
import Recommendation
import Synchronization

/// A model with everything that answers requests about it, without the sockets.
package final class Server: Sendable {
  /// The routes.
  package let api: API
  let options: ServerOptions
  let logger: Logger
  private let embeddings: EmbeddingService
  private let ranking: RankingService?
  let live: LiveState?
  let host: ModelHost
  private let versions: VersionWatcher

  /// Loads the model and reads what is stored.
  ///
  /// - Throws: `CheckpointError` for the model, ``ServingError`` for the database.
  package init(_ options: ServerOptions) throws {
    self.options = options
    logger = options.logger()
    if options.updateHours != nil, options.data == nil {
      throw ServingError(
        "--update-every learns from the events that are stored, and without --data none are; "
          + "add --data FILE, or leave --update-every out")
    }
    let storage = try Server.storage(options)
    let threads = Workers(count: options.threads).count
    let metrics = MetricsRegistry()
    versions = VersionWatcher(options.model)
    let model = try versions.load(options)
    if options.updateHours != nil, model.online == nil {
      throw ServingError(
        "--update-every updates fine-tuned models, and this one is an encoder alone: "
          + "\(options.model.path); leave --update-every out, or serve what encoder finetune wrote")
    }
    let host = ModelHost(model)
    self.host = host
    embeddings = EmbeddingService(options, threads: threads, metrics: metrics)
    if let online = model.online {
      let ranking = RankingService(options, threads: threads, metrics: metrics)
      self.ranking = ranking
      live = try LiveState(
        options, storage: storage, online: online, host: host, ranking: ranking,
        metrics: metrics, logger: logger)
    } else {
      ranking = nil
      live = nil
    }
    let (versions, live) = (versions, live)
    api = API(
      options, logger: logger, metrics: metrics, embeddings: embeddings, host: host, live: live,
      reload: { try await versions.reload(options, host: host, live: live) })
  }

  private static func storage(_ options: ServerOptions) throws -> any StateStorage {
    #if Server
      if let url = options.data { return try SQLiteStorage(url) }
    #else
      if let url = options.data {
        throw ServingError(
          "this build has no database: \(url.path); build with the package trait Server")
      }
    #endif
    return NoStorage()
  }

  /// Takes up the version in use, if it is another than the loaded one; says whether it did.
  package func reload() async throws -> Bool {
    try await versions.reload(options, host: host, live: live)
  }

  /// Waits for what was accepted, and ends the threads.
  package func close() {
    embeddings.close()
    ranking?.close()
    live?.close()
  }
}
