import Foundation
import Fuzzing
import Testing

/// A sample of what `Scripts/check-fuzz` does for longer.
@Suite(.serialized) struct ReadersTests {
  private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens")

  @Test("Readers read or refuse changed files, and do nothing else", arguments: 0..<10)
  func changedFiles(_ index: Int) throws {
    let targets = try FuzzTarget.all(goldens: ReadersTests.goldens)
    #expect(targets.count == 10)
    let target = targets[index]
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-fuzzing-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var run = try FuzzRun(target, seed: 1, folder: folder)
    for number in 0..<target.seeds.count { try run.step(number) }
    #expect(run.refused == 0, "\(target.name): its unchanged files are read")
    for number in target.seeds.count..<(target.companions == nil ? 2000 : 300) {
      try run.step(number)
    }
    #expect(run.accepted > target.seeds.count && run.refused > 0, "\(target.name): \(run)")
  }
}
