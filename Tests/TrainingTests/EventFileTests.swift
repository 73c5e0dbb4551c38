import Foundation
import Testing
import Training

/// Against what TensorBoard's own writer gives (Tests/Goldens/training/generate.py).
@Suite struct EventFileTests {
  private let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens/training/events.tfevents")
  private let start = 1_700_000_000.25
  private let events = [
    EventFile.Event(
      step: 1, seconds: 0.5, values: [("train/learning_rate", 1e-3), ("train/loss", 9.25)]),
    EventFile.Event(
      step: 200, seconds: 61.125,
      values: [("eval/loss", 6.5), ("train/learning_rate", 5e-4), ("train/loss", 7)]),
    EventFile.Event(
      step: 70_000, seconds: 3600, values: [("train/loss", -0.0), ("train/größe", 3.4e38)]),
  ]

  @Test("The checksums of RFC 3720, appendix B.4")
  func checksums() {
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(CRC32C.checksum([]) == 0)
    #expect(CRC32C.masked([24, 0, 0, 0, 0, 0, 0, 0]) == 0x224B_7FA3)
  }

  @Test func bytesAreTensorBoards() throws {
    #expect(EventFile.bytes(events, start: start) == [UInt8](try Data(contentsOf: golden)))
  }

  @Test("A log that has grown is appended to, another one replaces the file")
  func saving() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent(EventFile.name)
    func inode() throws -> UInt64 {
      try #require(
        try FileManager.default.attributesOfItem(atPath: url.path)[.systemFileNumber] as? NSNumber
      ).uint64Value
    }
    func content() throws -> [UInt8] { [UInt8](try Data(contentsOf: url)) }
    #expect(EventFile.start(in: folder.url) == nil)
    try EventFile.save(Array(events.prefix(1)), start: start, in: folder.url)
    #expect(EventFile.start(in: folder.url) == start)
    let first = try inode()
    // What a kill has cut off is completed.
    try Data(try content().dropLast(5)).write(to: url)
    let cut = try inode()
    try EventFile.save(events, start: start, in: folder.url)
    #expect(try content() == EventFile.bytes(events, start: start))
    #expect(try inode() == cut)
    // A resumed run may know less of the log than the file; another run begins at another time.
    try EventFile.save(Array(events.prefix(2)), start: start, in: folder.url)
    #expect(try content() == EventFile.bytes(Array(events.prefix(2)), start: start))
    try EventFile.save(events, start: start + 1, in: folder.url)
    #expect(EventFile.start(in: folder.url) == start + 1)
    #expect(first > 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [EventFile.name])
  }

  @Test func damagedFilesHaveNoStart() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent(EventFile.name)
    for bytes in [Data(), Data([1, 2, 3]), Data(repeating: 0xFF, count: 100)] {
      try bytes.write(to: url)
      #expect(EventFile.start(in: folder.url) == nil)
    }
  }

  @Test func logLinesBecomeScalars() {
    let events = EventFile.events(log: [
      #"{"step":3,"seconds":1.5,"loss":2,"validation_loss":4,"unigram_entropy":6}"#,
      "not an object", #"{"step":4}"#,
    ])
    #expect(
      events == [
        EventFile.Event(
          step: 3, seconds: 1.5,
          values: [("eval/loss", 4), ("eval/unigram_entropy", 6), ("train/loss", 2)])
      ])
  }
}
