import ArgumentParser
import Foundation
import Synchronization

/// The signal that came first; a handler may touch nothing but this.
private let received = Atomic<Int32>(0)

/// Turns Ctrl-C and SIGTERM into a flag that a training loop reads, so that it can save and end.
struct StopSignals {
  /// Begins to catch SIGINT and SIGTERM; a second signal ends the process at once.
  ///
  /// Handlers and not dispatch sources: those are registered some time later, and a signal that comes
  /// before that would be lost.
  ///
  /// A parent that blocks signals, as threads of Dispatch do, hands that on to what it starts: they are let through.
  init() {
    received.store(0, ordering: .relaxed)
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in [SIGINT, SIGTERM] { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    for number in [SIGINT, SIGTERM] {
      _ = signal(number) { number in
        if received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
    }
  }

  /// The exit code that a received signal asks for, 130 or 143; `nil` when none came.
  var exitCode: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : 128 + number
  }

  /// Ends work that has nothing to save yet.
  ///
  /// - Throws: `ExitCode` with ``exitCode`` once a signal came.
  func check() throws {
    if let exitCode { throw ExitCode(exitCode) }
  }
}
