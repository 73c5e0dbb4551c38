import Kernels
import Tokenization

/// Texts or token ids in, vectors out: tokenizes, looks into the cache, and queues the rest.
final class EmbeddingService: Sendable {
  /// A text's token ids with how many at the beginning are a prompt's that pooling leaves out.
  private struct Sequence {
    var ids: [Int32]
    var skipping: Int

    func output(_ output: EmbeddingOutput) -> EmbeddingOutput {
      output.isPooled ? .encoder(skipping: skipping) : output
    }
  }

  /// One sequence for one version of the model.
  private struct Job: Sendable {
    let engine: EmbeddingEngine
    let output: EmbeddingOutput
    let ids: [Int32]
  }

  /// Vectors with what they cost.
  struct Result: Sendable {
    var vectors: [[Float]]
    var tokens: Int
    /// Texts that were cut to the model's length.
    var cutCount: Int
    var tokenizationSeconds: Double
    /// Seconds until the first text was taken from the queue.
    var queueSeconds: Double
    var inferenceSeconds: Double
  }

  /// What a client gave as a text.
  enum Text: Sendable {
    case string(String)
    case ids([Int32])
  }

  private let queue: BatchQueue<Job, [Float]>
  private let deadline: Duration
  private let metrics: MetricsRegistry
  private let cutsLongTexts: Bool

  init(_ options: ServerOptions, threads: Int, metrics: MetricsRegistry) {
    self.metrics = metrics
    deadline = .seconds(options.deadline)
    cutsLongTexts = options.cutsLongTexts
    let label = MetricsRegistry.labels([("queue", "embedding")])
    var observer = BatchQueue<Job, [Float]>.Observer()
    observer.batch = { inputs, tokens, seconds in
      let sizes = MetricsRegistry.sizeBounds
      metrics.record("encoder_batch_size", label, Double(inputs), bounds: sizes)
      metrics.record("encoder_batch_duration_seconds", label, seconds)
      metrics.record("te_batch_next_size", "", Double(inputs), bounds: sizes)
      metrics.record("te_batch_next_tokens", "", Double(tokens), bounds: sizes)
      metrics.record("te_request_inference_duration", "", seconds)
    }
    observer.waited = { seconds in
      metrics.record("encoder_queue_duration_seconds", label, seconds)
      metrics.record("te_request_queue_duration", "", seconds)
    }
    observer.dropped = { inputs in
      metrics.count("encoder_abandoned_inputs_total", label, by: Double(inputs))
    }
    queue = BatchQueue(
      name: "embedding", threads: threads, limit: options.queueLimit, budget: options.batchTokens,
      batchLimit: 512, observer: observer, run: EmbeddingService.run)
  }

  /// Texts that wait.
  var queueSize: Int { queue.count }

  func close() { queue.close() }

  private static func run(_ worker: Int, _ jobs: [Job]) -> [[Float]] {
    var results = [[Float]](repeating: [], count: jobs.count)
    var isDone = [Bool](repeating: false, count: jobs.count)
    for first in jobs.indices where !isDone[first] {
      // During a swap a batch may hold jobs of two versions.
      let members = (first..<jobs.count).filter {
        !isDone[$0] && jobs[$0].engine === jobs[first].engine
          && jobs[$0].output == jobs[first].output
      }
      let vectors = jobs[first].engine.run(
        jobs[first].output, members.map { jobs[$0].ids }, worker: worker)
      for (place, member) in members.enumerated() {
        results[member] = vectors[place]
        isDone[member] = true
        // At once: what was computed isn't lost when the rest of its request fails.
        guard jobs[member].output != .tokens else { continue }
        jobs[member].engine.cache.insert(
          vectors[place], for: .init(output: jobs[member].output, ids: jobs[member].ids))
      }
    }
    return results
  }

  /// The vectors of texts.
  ///
  /// - Parameters:
  ///   - prompt: what is put before each string.
  ///   - normalize: whether vectors are scaled to length 1; nil does as the model's directory says, and
  ///     scales what `dimensions` has cut once more.
  ///   - dimensions: how many values of a vector are kept.
  ///   - truncate: whether long texts are cut; nil does as the server was told.
  /// - Throws: ``APIError`` for a text that is too long, ids outside the vocabulary, and a full queue.
  func vectors(
    _ texts: [Text], engine: EmbeddingEngine, output: EmbeddingOutput, prompt: String = "",
    normalize: Bool?, dimensions: Int? = nil, truncate: Bool? = nil, truncatesLeft: Bool = false
  ) async throws -> Result {
    let start = ContinuousClock.now
    let (sequences, cutCount) = try tokenize(
      texts, engine, output, prompt: prompt, truncate: truncate ?? cutsLongTexts,
      truncatesLeft: truncatesLeft)
    let tokenized = ContinuousClock.now
    var (vectors, waited) = try await compute(sequences, engine, output)
    if output != .tokens {
      let width = engine.width(output)
      let isUnit = normalize ?? (output.isPooled && engine.model.sentence.normalize)
      let kept = min(dimensions ?? width, width)
      for place in vectors.indices {
        if isUnit, output.isPooled { EmbeddingEngine.normalize(&vectors[place]) }
        guard kept < vectors[place].count else { continue }
        vectors[place].removeLast(vectors[place].count - kept)
        if normalize ?? (kept < width) { EmbeddingEngine.normalize(&vectors[place]) }
      }
    }
    return Result(
      vectors: vectors, tokens: sequences.reduce(0) { $0 + $1.ids.count }, cutCount: cutCount,
      tokenizationSeconds: (tokenized - start).inSeconds, queueSeconds: waited,
      inferenceSeconds: (ContinuousClock.now - tokenized).inSeconds - waited)
  }

  private func compute(
    _ sequences: [Sequence], _ engine: EmbeddingEngine, _ output: EmbeddingOutput
  ) async throws -> (vectors: [[Float]], waited: Double) {
    var vectors = [[Float]](repeating: [], count: sequences.count)
    var missing: [Int] = []
    for (place, sequence) in sequences.enumerated() {
      let key = EmbeddingCache.Key(output: sequence.output(output), ids: sequence.ids)
      if output != .tokens, let known = engine.cache[key] {
        vectors[place] = known
      } else {
        missing.append(place)
      }
    }
    metrics.count("encoder_cache_hits_total", by: Double(sequences.count - missing.count))
    metrics.count("encoder_cache_misses_total", by: Double(missing.count))
    let computed = try await queue.answer(
      missing.map {
        Job(engine: engine, output: sequences[$0].output(output), ids: sequences[$0].ids)
      }, costs: missing.map { max(sequences[$0].ids.count, 1) }, deadline: deadline)
    for (place, vector) in zip(missing, computed.outputs) { vectors[place] = vector }
    return (vectors, computed.waited)
  }

  private func tokenize(
    _ texts: [Text], _ engine: EmbeddingEngine, _ output: EmbeddingOutput, prompt: String,
    truncate: Bool, truncatesLeft: Bool
  ) throws -> ([Sequence], cutCount: Int) {
    let limit = engine.maximumLength(output)
    let promptTokens =
      output.isPooled ? engine.model.promptTokenCount(prompt, maximumLength: limit) : 0
    var cutCount = 0
    let sequences = try texts.enumerated().map { place, text -> Sequence in
      // Token ids come without a prompt.
      var skipping = if case .string = text { promptTokens } else { 0 }
      var ids = try encode(text, engine, prompt, limit: truncatesLeft ? nil : limit + 1)
      metrics.record(
        "te_request_input_length", "", Double(ids.count), bounds: MetricsRegistry.sizeBounds)
      guard ids.count > limit else { return Sequence(ids: ids, skipping: skipping) }
      guard truncate else {
        throw APIError.validation(
          "`inputs` must have at most \(limit) tokens; number \(place) has more", field: "input")
      }
      cutCount += 1
      if truncatesLeft {
        if skipping > 0 { skipping = max(skipping - (ids.count - limit), 1) }
        ids.removeSubrange(1..<(1 + ids.count - limit))
      } else {
        ids.removeSubrange((limit - 1)..<(ids.count - 1))
      }
      return Sequence(ids: ids, skipping: skipping)
    }
    return (sequences, cutCount)
  }

  /// Token ids with [CLS] and [SEP] around them; `limit` spares work on what is cut anyway.
  private func encode(
    _ text: Text, _ engine: EmbeddingEngine, _ prompt: String, limit: Int?
  ) throws -> [Int32] {
    let tokenizer = engine.model.tokenizer
    switch text {
    case .string(let string):
      return tokenizer.encode(prompt.isEmpty ? string : prompt + string, maximumLength: limit)
    case .ids(var ids):
      let vocabulary = tokenizer.vocabulary
      if let wrong = ids.first(where: { !vocabulary.contains($0) }) {
        throw APIError.validation(
          "token id \(wrong) is outside the model's vocabulary of \(vocabulary.count)",
          field: "input")
      }
      if ids.first != vocabulary.classID { ids.insert(vocabulary.classID, at: 0) }
      if ids.last != vocabulary.separatorID { ids.append(vocabulary.separatorID) }
      return ids
    }
  }
}
