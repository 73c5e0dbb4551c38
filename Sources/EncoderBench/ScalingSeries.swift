import Datasets
import Kernels
import Recommendation

/// One table row of ``ScalingCommand``: work of growing size.
struct ScalingSeries {
  let name: String
  let sizes: [Int]
  let expected: String
  let task: (Int) throws -> any BenchTask

  static func all(threads: Int?) -> [ScalingSeries] {
    var base = BenchRequest(task: "mlm")
    base.threads = threads ?? Workers.coreCount
    (base.layers, base.hidden, base.heads, base.feedForward) = (2, 128, 2, 512)
    (base.vocabulary, base.batch, base.length) = (8192, 32, 64)
    func pretraining(_ change: @escaping (inout BenchRequest, Int) -> Void) -> (Int) throws ->
      any BenchTask
    {
      { size in
        var request = base
        change(&request, size)
        return try PretrainingTask(request)
      }
    }
    func ranking(_ change: @escaping (inout BenchRequest, Int) -> Void) -> (Int) throws ->
      any BenchTask
    {
      { size in
        var request = base
        (request.users, request.items) = (4000, 20_000)
        change(&request, size)
        return RankingTask(request)
      }
    }
    return [
      ScalingSeries(
        name: "pretraining, tokens a step", sizes: [2048, 4096, 8192, 16_384],
        expected: "1 (below it: AdamW costs the same at any size)",
        task: pretraining { $0.batch = $1 / 64 }),
      ScalingSeries(
        name: "pretraining, layers", sizes: [2, 4, 8],
        expected: "below 1: the head stays", task: pretraining { $0.layers = $1 }),
      ScalingSeries(
        name: "pretraining, width", sizes: [128, 256, 512],
        expected: "1 (head, element-wise) to 2 (layers)",
        task: pretraining {
          ($0.hidden, $0.heads, $0.feedForward) = ($1, $1 / 64, 4 * $1)
        }),
      ScalingSeries(
        name: "pretraining, sequence length at equal tokens", sizes: [32, 64, 128, 256],
        expected: "0 to 1: attention alone grows",
        task: pretraining { ($0.length, $0.batch) = ($1, 8192 / $1) }),
      ScalingSeries(
        name: "top 100 of all users, users", sizes: [2000, 4000, 8000], expected: "1",
        task: ranking { $0.users = $1 }),
      ScalingSeries(
        name: "top 100 of all users, items", sizes: [10_000, 20_000, 40_000], expected: "1",
        task: ranking { $0.items = $1 }),
      ScalingSeries(
        name: "EASE, items", sizes: [1000, 2000, 4000], expected: "3",
        task: { try CollaborativeTask.ease(users: 5000, items: $0, threads: base.threads) }),
      ScalingSeries(
        name: "ALS, users", sizes: [5000, 10_000, 20_000], expected: "1",
        task: { try CollaborativeTask.als(users: $0, items: 2000, threads: base.threads) }),
    ]
  }
}

/// Fitting a collaborative model to made-up histories of 20 items a user.
struct CollaborativeTask: BenchTask {
  private let histories: SparseMatrix
  private let fit: @Sendable (SparseMatrix) throws -> Void

  static func ease(users: Int, items: Int, threads: Int?) throws -> CollaborativeTask {
    try CollaborativeTask(users: users, items: items) {
      _ = try EASE.fit($0, workers: Workers(count: threads))
    }
  }

  static func als(users: Int, items: Int, threads: Int?) throws -> CollaborativeTask {
    try CollaborativeTask(users: users, items: items) {
      var generator = SeededGenerator(seed: 5)
      _ = try ImplicitALS.fit(
        $0, using: &generator, workers: Workers(count: threads))
    }
  }

  private init(
    users: Int, items: Int, fit: @escaping @Sendable (SparseMatrix) throws -> Void
  ) throws {
    self.fit = fit
    var generator = SeededGenerator(seed: 3)
    var (offsets, columns) = ([0], [Int32]())
    for _ in 0..<users {
      var chosen = Set<Int32>()
      while chosen.count < 20 {
        // Squaring makes low numbers popular, as behaviours are.
        let u = Double.random(in: 0..<1, using: &generator)
        chosen.insert(Int32(u * u * Double(items)))
      }
      columns += chosen.sorted()
      offsets.append(columns.count)
    }
    histories = try SparseMatrix(
      rowCount: users, columnCount: items, offsets: offsets, columns: columns,
      values: [Float](repeating: 1, count: columns.count))
  }

  func measure() throws -> BenchAnswer {
    BenchAnswer(
      seconds: try Stopwatch.seconds { try fit(histories) }, work: Double(histories.rowCount))
  }
}
