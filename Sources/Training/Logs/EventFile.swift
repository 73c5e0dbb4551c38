public import Foundation

/// A training log as TensorBoard reads it: `events.out.tfevents.encoder` beside `training.jsonl`.
///
/// A file of TFRecords: length (8 bytes, little-endian), masked CRC-32C of the length, data, masked CRC-32C
/// of the data. Each record is an `Event` message of TensorFlow: wall time, step, and one scalar a tag.
/// The bytes follow from the log and the time the run began, so a log that has grown gives the old bytes
/// and more behind them: the file is then appended to, which a TensorBoard that has it open needs. Else
/// it is replaced as a whole. A record that a kill has cut off is what readers of the format expect, and
/// the next save completes it.
public struct EventFile: Sendable {
  /// The file's name; TensorBoard looks for `tfevents`.
  public static let name = "events.out.tfevents.encoder"

  /// One event: the values that a step had.
  public struct Event: Sendable, Equatable {
    /// The step.
    public var step: Int
    /// Seconds since the run began.
    public var seconds: Double
    /// Tags with their values, in the order in which they are written.
    public var values: [(tag: String, value: Double)]

    /// Creates an event.
    public init(step: Int, seconds: Double, values: [(tag: String, value: Double)]) {
      self.step = step
      self.seconds = seconds
      self.values = values
    }

    /// Events are equal when all of their parts are.
    public static func == (a: Event, b: Event) -> Bool {
      a.step == b.step && a.seconds == b.seconds && a.values.count == b.values.count
        && zip(a.values, b.values).allSatisfy { $0.tag == $1.tag && $0.value == $1.value }
    }
  }

  /// The bytes of a file that holds `events`; `start` is when the run began, in seconds since 1970.
  public static func bytes(_ events: [Event], start: Double) -> [UInt8] {
    var version = ProtobufMessage()
    version.double(1, start)
    version.string(3, "brain.Event:2")
    var result = record(version.bytes)
    for event in events {
      var summary = ProtobufMessage()
      for (tag, value) in event.values {
        var entry = ProtobufMessage()
        entry.string(1, tag)
        entry.float(2, Float(value))
        summary.message(1, entry)
      }
      var message = ProtobufMessage()
      message.double(1, start + event.seconds)
      message.integer(2, Int64(event.step))
      message.message(5, summary)
      result += record(message.bytes)
    }
    return result
  }

  /// Frames the data of a record.
  private static func record(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(CRC32C.masked(length)) + data + littleEndian(CRC32C.masked(data))
  }

  /// When the run began whose events are in a folder, from the first record's wall time; nil without one.
  public static func start(in folder: URL) -> Double? {
    // Length, checksum, then the tag of field 1 as a double.
    guard let handle = try? FileHandle(forReadingFrom: folder.appendingPathComponent(name)),
      let head = try? handle.read(upToCount: 21), head.count == 21, head[12] == 0x09
    else { return nil }
    let bits = head[13..<21].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let start = Double(bitPattern: bits)
    return start.isFinite && start >= 0 ? start : nil
  }
}

/// Wire format of Protocol Buffers, as far as events need it.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private mutating func tag(_ field: UInt64, _ wire: UInt64) { varint(field << 3 | wire) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func integer(_ field: UInt64, _ value: Int64) {
    tag(field, 0)
    varint(UInt64(bitPattern: value))
  }

  mutating func double(_ field: UInt64, _ value: Double) {
    tag(field, 1)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func float(_ field: UInt64, _ value: Float) {
    tag(field, 5)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func string(_ field: UInt64, _ text: String) { delimited(field, Array(text.utf8)) }

  mutating func message(_ field: UInt64, _ message: ProtobufMessage) {
    delimited(field, message.bytes)
  }

  private mutating func delimited(_ field: UInt64, _ content: [UInt8]) {
    tag(field, 2)
    varint(UInt64(content.count))
    bytes += content
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
