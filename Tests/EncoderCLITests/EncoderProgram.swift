import Foundation
import Testing

/// A working directory of its own, and the built program run in it.
final class EncoderProgram {
  /// What a finished run left.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// The lines of standard error.
    var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  struct NotBuilt: Error, CustomStringConvertible {
    let description: String
  }

  /// The working directory; it is removed with this object.
  let folder: URL
  /// Where the program puts its temporary files.
  let temporary: URL
  private let captures: URL
  private let program: URL

  init() throws {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent(
      "encoder-cli-\(UUID().uuidString)", isDirectory: true)
    folder = base.appendingPathComponent("work", isDirectory: true)
    captures = base.appendingPathComponent("captures", isDirectory: true)
    temporary = base.appendingPathComponent("temporary", isDirectory: true)
    program = try EncoderProgram.find()
    for url in [folder, captures, temporary] {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder.deletingLastPathComponent()) }

  /// The program lies beside the test bundle, which on Linux is an executable in the build folder.
  private static func find() throws -> URL {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folder = bundle.deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appendingPathComponent("encoder")
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isFolder),
        !isFolder.boolValue
      {
        return candidate
      }
      folder.deleteLastPathComponent()
    }
    throw NotBuilt(description: "there is no encoder beside \(bundle.path); run swift build")
  }

  /// Starts the program; standard input is `input`, or empty.
  func start(_ arguments: [String], input: Data = Data()) throws -> Running {
    let stem = captures.appendingPathComponent(UUID().uuidString)
    let files = ["in", "out", "err"].map { stem.appendingPathExtension($0) }
    try input.write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["TMPDIR": temporary.path]) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    return Running(process: process, output: files[1], errors: files[2])
  }

  /// Runs a line of a shell to its end; `$ENCODER` is the program.
  func shell(_ line: String) throws -> Outcome {
    let stem = captures.appendingPathComponent(UUID().uuidString)
    let files = ["out", "err"].map { stem.appendingPathExtension($0) }
    for file in files { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line]
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["TMPDIR": temporary.path, "ENCODER": self.program.path]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    return try Running(process: process, output: files[0], errors: files[1]).wait()
  }

  /// Runs the program to its end.
  func run(_ arguments: String..., input: Data = Data()) throws -> Outcome {
    try start(arguments, input: input).wait()
  }

  /// A program that hasn't ended yet.
  struct Running {
    fileprivate let process: Process
    fileprivate let output: URL
    fileprivate let errors: URL

    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until standard error contains a text; fails after a minute, or when the program ends.
    func waitFor(_ text: String) throws {
      for _ in 0..<6000 {
        if try String(contentsOf: errors, encoding: .utf8).contains(text) { return }
        if !process.isRunning { break }
        usleep(10_000)
      }
      Issue.record("the program never wrote \(text)")
    }

    func wait() throws -> Outcome {
      process.waitUntilExit()
      return Outcome(
        status: process.terminationReason == .exit
          ? process.terminationStatus : -process.terminationStatus,
        output: try String(contentsOf: output, encoding: .utf8),
        errors: try String(contentsOf: errors, encoding: .utf8))
    }
  }

  // MARK: Files

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  @discardableResult
  func write(_ text: String, _ name: String) throws -> URL {
    try write(Data(text.utf8), name)
  }

  @discardableResult
  func write(_ bytes: Data, _ name: String) throws -> URL {
    let url = url(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try bytes.write(to: url)
    return url
  }

  func read(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

  func text(_ name: String) throws -> String {
    String(decoding: try read(name), as: UTF8.self)
  }

  /// Makes a named pipe.
  ///
  /// The descriptor that `write` gets opens when a program reads the pipe.
  func pipe(_ name: String, write: @escaping @Sendable (Int32) -> Void) throws {
    let path = url(name).path
    guard mkfifo(path, 0o600) == 0 else { throw POSIXError(.EIO) }
    // A program that ends while it is being written to must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    Thread.detachNewThread {
      let descriptor = open(path, O_WRONLY)
      guard descriptor >= 0 else { return }
      write(descriptor)
      close(descriptor)
    }
  }

  /// Every name below the working directory, sorted.
  func names() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
  }
}
