import Foundation
import Logging
import Tokenization

/// Writes log lines to standard error as JSON objects: time, level, message, then the metadata.
struct JSONLogHandler: LogHandler {
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var members = [
      JSONMember("time", .string(LogTime.now)),
      JSONMember("level", .string(event.level.rawValue)),
      JSONMember("message", .string(event.message.description)),
    ]
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for key in all.keys.sorted() {
      members.append(JSONMember(key, .string(all[key].map { "\($0)" } ?? "")))
    }
    LogOutput.write(JSONValue.object(members).serialized())
  }
}

/// Writes log lines to standard error as text: time, level, message, `key=value` pairs.
struct TextLogHandler: LogHandler {
  var logLevel: Logger.Level = .info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(LogTime.now) \(event.level.rawValue) \(event.message)"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for key in all.keys.sorted() { line += " \(key)=\(all[key].map { "\($0)" } ?? "")" }
    // One event, one line, whatever a client sent.
    LogOutput.write(line.utf8.map { $0 < 0x20 ? 0x20 : $0 })
  }
}

/// The time of day in UTC, as RFC 3339 writes it.
enum LogTime {
  static var now: String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    var seconds = time.tv_sec
    gmtime_r(&seconds, &parts)
    func two(_ value: Int32) -> String { (value < 10 ? "0" : "") + String(value) }
    let milliseconds = String(time.tv_nsec / 1_000_000)
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
      + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))."
      + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds + "Z"
  }
}

/// Standard error, a whole line a write.
enum LogOutput {
  static func write(_ line: [UInt8]) {
    var line = line
    line.append(0x0A)
    line.withUnsafeBytes { bytes in _ = Foundation.write(2, bytes.baseAddress, bytes.count) }
  }
}

extension ServerOptions {
  /// The logger that the options ask for.
  func logger() -> Logger {
    let level = Logger.Level(rawValue: logLevel) ?? .info
    let format = logFormat
    return Logger(label: "encoder") { _ -> any LogHandler in
      switch format {
      case .json: JSONLogHandler(logLevel: level)
      case .text: TextLogHandler(logLevel: level)
      }
    }
  }
}
