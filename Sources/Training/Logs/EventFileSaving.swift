import Checkpoints
public import Foundation

extension EventFile {
  /// Brings the file in `folder` to what `events` say.
  ///
  /// - Parameters:
  ///   - start: when the run began, in seconds since 1970.
  /// - Throws: `CheckpointError` when the disk fails.
  public static func save(_ events: [Event], start: Double, in folder: URL) throws {
    let url = folder.appendingPathComponent(name)
    let bytes = bytes(events, start: start)
    if let old = try? Data(contentsOf: url), old.count <= bytes.count, !old.isEmpty,
      bytes.starts(with: old)
    {
      guard old.count < bytes.count else { return }
      return try append(bytes[old.count...], to: url)
    }
    let file = try PendingFile(url)
    try file.append(bytes)
    try file.commit()
  }

  private static func append(_ bytes: ArraySlice<UInt8>, to url: URL) throws {
    do {
      let handle = try FileHandle(forWritingTo: url)
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: bytes)
      try handle.synchronize()
    } catch {
      throw CheckpointError(
        "can't be written (\(error))", path: url.path,
        advice: "check that the folder can be written and has space")
    }
  }

  /// The events of a log of JSON objects, one a line: each number becomes a scalar.
  ///
  /// Fields of held-out texts get the tag `eval/`, the others `train/`. Lines that aren't objects of
  /// numbers are left out.
  public static func events(log lines: [String]) -> [Event] {
    lines.compactMap { line in
      guard let fields = try? JSONDecoder().decode([String: Double].self, from: Data(line.utf8)),
        let step = fields["step"], let seconds = fields["seconds"]
      else { return nil }
      let values = fields.keys.filter { $0 != "step" && $0 != "seconds" }.map { name in
        (tag: tag(name), value: fields[name] ?? .nan)
      }
      return Event(step: Int(step), seconds: seconds, values: values.sorted { $0.tag < $1.tag })
    }
  }

  private static func tag(_ field: String) -> String {
    let prefix = "validation_"
    if field.hasPrefix(prefix) { return "eval/\(field.dropFirst(prefix.count))" }
    // What the validation compares its own figures with.
    let isReference = field == "unigram_entropy" || field == "majority_accuracy"
    return (isReference ? "eval/" : "train/") + field
  }
}
