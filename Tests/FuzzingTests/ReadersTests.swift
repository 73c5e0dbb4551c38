import Foundation
import Fuzzing
import Testing

/// A sample of what `Scripts/check-fuzz` does for longer.
@Suite(.serialized) struct ReadersTests {
  private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens")

  @Test("Readers read or refuse changed files, and do nothing else")
  func changedFiles() throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-fuzzing-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: base) }
    let targets = try FuzzTarget.all(
      goldens: ReadersTests.goldens, scratch: base.appendingPathComponent("tiny"))
    #expect(targets.count == 15)
    for target in targets { try feed(target, base.appendingPathComponent("input")) }
  }

  private func feed(_ target: FuzzTarget, _ folder: URL) throws {
    var run = try FuzzRun(target, seed: 1, folder: folder)
    for number in 0..<target.seeds.count { try run.step(number) }
    #expect(run.refused == 0, "\(target.name): its unchanged files are read")
    for number in target.seeds.count..<(target.companions == nil ? 2000 : 300) {
      try run.step(number)
    }
    #expect(run.accepted > target.seeds.count && run.refused > 0, "\(target.name): \(run)")
  }
}
