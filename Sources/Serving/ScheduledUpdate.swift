import Datasets
import Foundation
import Logging

/// Updates the model from what came in, in a process of its own: its memory and its threads are gone when
/// it ends, and a crash there doesn't touch the server.
struct ScheduledUpdate: Sendable {
  let server: Server

  /// Whether versions can be added to the model; logs what to do where they can't.
  func canAddVersions() -> Bool {
    let model = server.options.model.resolvingSymlinksInPath()
    let files = FileManager.default
    let folders = [model, model.appendingPathComponent("versions", isDirectory: true)]
    let locked = folders.first {
      files.fileExists(atPath: $0.path) && !files.isWritableFile(atPath: $0.path)
    }
    guard let locked else { return true }
    server.logger.warning(
      "the model isn't updated: its folder can't be written; let the server's user write there, or leave --update-every out",
      metadata: ["folder": "\(locked.path)"])
    return false
  }

  /// Writes the events beside the model, runs `encoder update`, and leaves the swap to the watcher.
  func run() async {
    guard let live = server.live, canAddVersions() else { return }
    let folder = UpdateFolder.own
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let events = folder.appendingPathComponent("behaviors.csv")
      let items = folder.appendingPathComponent("items.csv")
      guard try write(live, events: events, items: items) else {
        server.logger.notice("the model isn't updated: no events came in yet")
        return
      }
      let outcome = try await launch(events: events, items: items)
      server.logger.log(
        level: outcome.status == 0 ? .notice : .error, "update ended",
        metadata: ["exit_code": "\(outcome.status)", "reason": "\(outcome.reason)"])
    } catch {
      server.logger.error("the model can't be updated", metadata: ["error": "\(error)"])
    }
  }

  /// The events and items as the files that the command line reads; false when there are no events.
  private func write(_ live: LiveState, events: URL, items: URL) throws -> Bool {
    var count = 0
    try AtomicFile.write(to: events) { file in
      try file.write("user_id,item_id,label,timestamp\n")
      try live.forEachEvent { event in
        if live.events.isForgotten(event.user), !live.events.contains(event.user) { return }
        try file.write(
          "\(quoted(event.user)),\(quoted(event.item)),\(event.value),\(Timestamps.wholeSeconds(event.time))\n"
        )
        count += 1
      }
    }
    let records = try live.storedItems()
    // The model's columns too: an item that was put without a value has none any more.
    let known = live.catalogue.online.recommender.items.features?.columns.map(\.name) ?? []
    var columns: [String] = []
    var seen = IDSet(["item_id", "text"])
    for name in known + records.flatMap({ $0.features.map(\.name) }) where !seen.contains(name) {
      seen.insert(name)
      columns.append(name)
    }
    try AtomicFile.write(to: items) { file in
      try file.write((["item_id", "text"] + columns).map(quoted).joined(separator: ",") + "\n")
      for record in records {
        var values = [record.id, record.text]
        for column in columns { values.append(record.feature(column) ?? "") }
        try file.write(values.map(quoted).joined(separator: ",") + "\n")
      }
    }
    return count > 0
  }

  private func quoted(_ field: String) -> String {
    let special: [UInt8] = [0x2C, 0x22, 0x0A, 0x0D]
    let needs = field.utf8.contains { special.contains($0) }
    return needs ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }

  /// How the process of an update ended.
  private struct Outcome: Sendable {
    let status: Int32
    /// What it said last: its error, or its report.
    let reason: String
  }

  private func launch(events: URL, items: URL) async throws -> Outcome {
    guard let program = Bundle.main.executableURL else {
      throw ServingError("the program's own file is unknown; run encoder update by hand")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    var arguments = ["nice", program.path, "update", "--model", server.options.model.path]
    arguments += ["--data", events.path, "--quiet"]
    if try hasRows(items) { arguments += ["--items", items.path] }
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    // Files and not pipes: a pipe that nobody empties would stop the process.
    let said = ["report.json", "errors.txt"].map {
      events.deletingLastPathComponent().appendingPathComponent($0)
    }
    for url in said { _ = FileManager.default.createFile(atPath: url.path, contents: nil) }
    let handles = try said.map { try FileHandle(forWritingTo: $0) }
    defer { for handle in handles { try? handle.close() } }
    (process.standardOutput, process.standardError) = (handles[0], handles[1])
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    return Outcome(status: status, reason: lastLine(status == 0 ? said[0] : said[1]))
  }

  /// The last line of a file that isn't empty.
  private func lastLine(_ url: URL) -> String {
    let text = (try? Data(contentsOf: url)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(whereSeparator: \.isNewline).last.map { String($0.prefix(2000)) } ?? ""
  }

  private func hasRows(_ url: URL) throws -> Bool {
    let text = try String(contentsOf: url, encoding: .utf8)
    return text.utf8.split(separator: 10, maxSplits: 1).count > 1
  }
}
