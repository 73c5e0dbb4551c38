import Foundation
import Fuzzing

// encoder-fuzz READER SECONDS SEED FOLDER GOLDENS
//
// Feeds one reader with changed files for so many seconds. A crash or a signal is a finding, and so is an
// input that takes more than 20 seconds (SIGALRM) or more memory than the limit; the input is then the
// file that was written last in FOLDER, and `step N` of the same seed makes it again.
//
// encoder-fuzz leaks ROUNDS SEED FOLDER GOLDENS
//
// Loads, embeds and releases models so many times; growth after the first tenth of the rounds is a finding.

let arguments = CommandLine.arguments
guard arguments.count >= 6, let seconds = Double(arguments[2]), let seed = UInt64(arguments[3])
else {
  FileHandle.standardError.write(
    Data("usage: encoder-fuzz READER|list SECONDS SEED FOLDER GOLDENS\n".utf8))
  exit(64)
}
let folder = URL(fileURLWithPath: arguments[4])
if arguments[1] == "leaks" {
  let rounds = Int(seconds)
  let loop = try LoadLoop(
    goldens: URL(fileURLWithPath: arguments[5]),
    scratch: folder.appendingPathComponent("tiny-recommender"))
  for _ in 0..<rounds / 10 { try loop.round() }
  let before = try LoadLoop.residentBytes()
  for _ in rounds / 10..<rounds { try loop.round() }
  let growth = try LoadLoop.residentBytes() - before
  print("leaks: \(rounds) rounds, \(growth / 1024) kB more than after the first tenth")
  exit(growth < 8 << 20 ? 0 : 4)
}
let targets = try FuzzTarget.all(
  goldens: URL(fileURLWithPath: arguments[5]),
  scratch: folder.deletingLastPathComponent().appendingPathComponent("made"))
if arguments[1] == "list" {
  print(targets.map(\.name).joined(separator: "\n"))
  exit(0)
}
guard let target = targets.first(where: { $0.name == arguments[1] }) else {
  FileHandle.standardError.write(Data("error: no reader \(arguments[1])\n".utf8))
  exit(64)
}

/// Kilobytes of memory at most so far.
func peakMemory() -> Int {
  var usage = rusage()
  getrusage(numericCast(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss
}

var run = try FuzzRun(target, seed: seed, folder: folder)
// The stated bound: inputs are kilobytes, so nothing may need more than this beside the program itself.
let limit = 256 * 1024
let start = ContinuousClock.now
var number = 0
while start.duration(to: .now) < .seconds(seconds) {
  alarm(20)
  let before = peakMemory()
  try run.step(number)
  let growth = peakMemory() - before
  guard growth < limit else {
    print("\(target.name): step \(number) took \(growth / 1024) MB")
    exit(2)
  }
  number += 1
}
alarm(0)
print(
  "\(target.name): \(number) inputs, \(run.accepted) read, \(run.refused) refused, at most "
    + "\(peakMemory() / 1024) MB")
guard run.accepted > 0 else {
  print("\(target.name): not even the unchanged files were read")
  exit(3)
}
