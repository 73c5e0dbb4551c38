import ArgumentParser
import Foundation

/// Answers measurement requests, one JSON object a line, so that a driver can alternate with a peer.
struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract: "Reads requests from standard input, one JSON object a line, and answers each.")

  func run() throws {
    var prepared: [String: any BenchTask] = [:]
    while let line = readLine() {
      if prepared[line] == nil {
        // One task at a time stays in memory.
        prepared.removeAll()
        let request = try JSONDecoder().decode(BenchRequest.self, from: Data(line.utf8))
        prepared[line] = try WorkerCommand.task(request)
      }
      guard let answer = try prepared[line]?.measure() else { continue }
      FileHandle.standardOutput.write(try JSONEncoder().encode(answer) + Data("\n".utf8))
    }
  }

  private static func task(_ request: BenchRequest) throws -> any BenchTask {
    switch request.task {
    case "sgemm": SgemmTask(request)
    case "mlm": try PretrainingTask(request)
    case "embed": try EmbeddingTask(request)
    case "embed-one": try SingleTextTask(request)
    case "tokenize": try TokenizingTask(request)
    case "vocabulary": try VocabularyTask(request)
    case "behaviors": BehaviorsTask(request)
    case "ranking": RankingTask(request)
    default: throw ValidationError("there is no task \(request.task)")
    }
  }
}

extension BenchRequest {
  /// The lines of ``file``, blank ones left out.
  func lines() throws -> [String] {
    let data = try Data(contentsOf: URL(fileURLWithPath: file ?? ""))
    return data.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.utf8.allSatisfy { $0 == UInt8(ascii: " ") } }
  }
}
