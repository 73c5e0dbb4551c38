import Foundation
import Kernels
import Recommendation

/// Finds the version of a model that is in use, and loads it when it changes.
final class VersionWatcher: Sendable {
  private let directory: URL
  private let reloads = ReloadGate()

  /// Lets one reload run at a time.
  private actor ReloadGate {
    private var running: Task<Bool, any Error>?

    func run(_ body: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
      while let running { _ = try? await running.value }
      let task = Task { try await body() }
      running = task
      defer { running = nil }
      return try await task.value
    }
  }

  init(_ directory: URL) { self.directory = directory.resolvingSymlinksInPath() }

  /// The version in use and where it is.
  private func current() throws -> (name: String, url: URL) {
    guard RecommenderDirectory.isRecommender(directory) else {
      return (ModelVersions.original, directory)
    }
    let versions = ModelVersions(directory)
    let name = try versions.current()
    return (name, try versions.url(of: name))
  }

  /// Loads the version in use.
  ///
  /// - Throws: `CheckpointError` that names the file and what is wrong with it.
  func load(_ options: ServerOptions) throws -> LoadedModel {
    let (name, url) = try current()
    return try LoadedModel(
      directory: url, name: directory.lastPathComponent, version: name, options: options)
  }

  /// Takes up the version in use where it is another than the host's; a version that can't be loaded
  /// changes nothing.
  func reload(_ options: ServerOptions, host: ModelHost, live: LiveState?) async throws -> Bool {
    try await reloads.run { [self] in
      let (name, _) = try current()
      guard name != host.current.version else { return false }
      let model = try load(options)
      if let live {
        try await live.replace(with: model, workers: Workers(count: options.threads))
      } else {
        host.replace(with: model)
      }
      return true
    }
  }
}
