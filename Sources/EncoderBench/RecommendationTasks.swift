import ArgumentParser
import Datasets
import Foundation
import Kernels
import Recommendation

/// Reading a behaviours file.
struct BehaviorsTask: BenchTask {
  private let url: URL

  init(_ request: BenchRequest) { url = URL(fileURLWithPath: request.file ?? "") }

  func measure() throws -> BenchAnswer {
    let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
    var rows = 0
    let seconds = try Stopwatch.seconds { rows = try Behaviors.load(from: url).0.count }
    return BenchAnswer(seconds: seconds, work: Double(size), check: Double(rows))
  }
}

/// The 100 best items of every user by products of factors.
struct RankingTask: BenchTask {
  private let users: DenseMatrix
  private let items: DenseMatrix
  private let workers: Workers

  init(_ request: BenchRequest) {
    let width = request.hidden ?? 128
    users = .random(rowCount: request.users ?? 20_000, columnCount: width, seed: 1)
    items = .random(rowCount: request.items ?? 17_291, columnCount: width, seed: 2)
    workers = Workers(count: request.threads)
  }

  func measure() -> BenchAnswer {
    var listed = 0
    let seconds = Stopwatch.seconds {
      let lists = TopK.rankProducts(users: users, items: items, k: 100, workers: workers)
      listed = lists.rowCount
    }
    let flops =
      2 * Double(users.rowCount) * Double(items.rowCount) * Double(items.columnCount)
    return BenchAnswer(
      seconds: seconds, work: Double(users.rowCount), flops: flops, check: Double(listed))
  }
}

extension DenseMatrix {
  /// Values in -1..<1, the same for the same seed.
  static func random(rowCount: Int, columnCount: Int, seed: UInt64) -> DenseMatrix {
    var generator = SeededGenerator(seed: seed, stream: 0)
    let values = (0..<(rowCount * columnCount)).map { _ in
      Float.random(in: -1..<1, using: &generator)
    }
    return DenseMatrix(rowCount: rowCount, columnCount: columnCount, values: values)
  }
}

/// Reads a behaviours file once, so that its peak memory can be seen from outside.
struct ReadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Reads a behaviours file and prints the number of rows.")

  @Argument(help: "The behaviours, CSV.") var file: String

  func run() throws {
    print(try Behaviors.load(from: URL(fileURLWithPath: file)).0.count)
  }
}
