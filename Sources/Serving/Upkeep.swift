import Foundation
import Logging
import Synchronization

/// Set by SIGHUP; a handler may touch nothing else.
private let wantsReload = Atomic<Bool>(false)

/// What a server does beside answering: looks for a new version of the model, and updates it on a
/// schedule.
struct Upkeep: Sendable {
  let server: Server

  /// How often the model's directory is looked at.
  private static let interval = Duration.milliseconds(500)

  /// Runs until it is cancelled.
  func run() async {
    UpdateFolder.removeLeftovers()
    // At once, and not after so many hours.
    if server.options.updateHours != nil { _ = ScheduledUpdate(server: server).canAddVersions() }
    _ = signal(SIGHUP) { _ in wantsReload.store(true, ordering: .relaxed) }
    var nextUpdate = server.options.updateHours.map { ContinuousClock.now + .seconds($0 * 3600) }
    var sinceLook = 0
    while !Task.isCancelled {
      try? await Task.sleep(for: Upkeep.interval)
      if let next = nextUpdate, ContinuousClock.now >= next {
        await ScheduledUpdate(server: server).run()
        nextUpdate = server.options.updateHours.map { ContinuousClock.now + .seconds($0 * 3600) }
      }
      sinceLook += 1
      guard wantsReload.exchange(false, ordering: .relaxed) || sinceLook >= 4 else { continue }
      sinceLook = 0
      do { _ = try await server.reload() } catch {
        server.logger.error("the new version can't be used", metadata: ["error": "\(error)"])
      }
    }
  }
}
