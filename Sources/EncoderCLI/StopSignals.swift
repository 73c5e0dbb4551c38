import ArgumentParser
import Foundation
import Synchronization

/// Turns Ctrl-C and SIGTERM into a flag that a training loop reads, so that it can save and end.
final class StopSignals {
  private final class StopFlag: Sendable {
    let value = Atomic<Int32>(0)
  }
  private let flag: StopFlag
  private let sources: [any DispatchSourceSignal]

  /// Begins to catch SIGINT and SIGTERM; a second signal ends the process at once.
  init() {
    var sources: [any DispatchSourceSignal] = []
    let queue = DispatchQueue(label: "stop-signals")
    let flag = StopFlag()
    self.flag = flag
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if flag.value.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
      source.resume()
      sources.append(source)
    }
    self.sources = sources
  }

  /// The exit code that a received signal asks for, 130 or 143; `nil` when none came.
  var exitCode: Int32? {
    let number = flag.value.load(ordering: .relaxed)
    return number == 0 ? nil : 128 + number
  }

  /// Ends work that has nothing to save yet.
  ///
  /// - Throws: `ExitCode` with ``exitCode`` once a signal came.
  func check() throws {
    if let exitCode { throw ExitCode(exitCode) }
  }
}
