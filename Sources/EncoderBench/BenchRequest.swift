/// One line of what the benchmark's driver asks for; which fields count depends on the task.
struct BenchRequest: Codable {
  /// `sgemm`, `mlm`, `embed`, `embed-one`, `tokenize`, `vocabulary`, `behaviors` or `ranking`.
  var task: String
  /// Threads; 1 for a figure a core.
  var threads: Int?
  /// Encoder sizes of `mlm` and `sgemm`.
  var layers: Int?
  var hidden: Int?
  var heads: Int?
  var feedForward: Int?
  var vocabulary: Int?
  /// Sequences a step and tokens a sequence of `mlm`.
  var batch: Int?
  var length: Int?
  /// Files: a model's directory, texts (one a line), behaviours.
  var model: String?
  var file: String?
  /// Users, items and width of `ranking`.
  var users: Int?
  var items: Int?
}

/// One measurement.
struct BenchAnswer: Codable {
  /// Wall-clock time of the measured part.
  var seconds: Double
  /// What was done in it: tokens, texts, bytes, rows or users, as the task counts.
  var work: Double
  /// Floating-point operations of the matrix products, by the stated formula.
  var flops: Double?
  /// Something to compare with the peer's: a count of ids, pieces or rows.
  var check: Double?
}

/// A prepared piece of work that can be measured again and again.
protocol BenchTask {
  func measure() throws -> BenchAnswer
}
