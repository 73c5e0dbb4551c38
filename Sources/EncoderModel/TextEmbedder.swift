import Dispatch
public import Kernels

/// Token sequences -> vectors: the encoder, pooling, dense layers where a model has them and, where asked
/// for, scaling to length 1.
///
/// Sequences are sorted by length and packed into batches of a token budget, which the workers take
/// from one queue; equal sequences are computed once. Which batches there are depends on the
/// sequences alone, so the thread count never changes a result.
public struct TextEmbedder: Sendable {
  private let encoder: TextEncoder
  private let weights: ParameterStore<Float>
  private let adapters: AdapterStack<Float>?
  private let pooling: PoolingModes
  private let projections: [VectorProjection]
  private let normalize: Bool
  private let keptValues: Int
  private let normalizesKept: Bool
  private let workers: Workers
  private let arenas: [Arena<Float>]
  private let batchTokens: Int
  private let favorsLatency: Bool
  private let team: Team
  private static let alone = Team(Workers(count: 1))

  /// Prepares an embedder; its arenas are kept between calls, so one caller at a time may use it.
  ///
  /// - Parameters:
  ///   - projections: dense layers over the pooled vectors; each takes the width of the one before.
  ///   - normalize: whether vectors are scaled to length 1 (a vector of zeros stays).
  ///   - keptValues: how many values of a vector are kept at most, after it was scaled; nil keeps all.
  ///   - normalizesKept: whether what is kept is scaled to length 1 again.
  ///   - batchTokens: how many tokens a batch has at most; a longer sequence is a batch of its own. With 1 each text is
  ///     computed by itself, so that its vector has the same bytes in any company under any kernels of the BLAS.
  ///   - favorsLatency: whether all workers share the products of a single short text. It then has its
  ///     vector in less than half the time, but the last bits differ from those of the same text in a batch
  ///     (by less than 1e-6 of vectors of length 1). Without it a text's vector is always the same.
  public init(
    encoder: TextEncoder, weights: ParameterStore<Float>, adapters: AdapterStack<Float>? = nil,
    pooling: PoolingModes = .mean, projections: [VectorProjection] = [], normalize: Bool = true,
    keptValues: Int? = nil, normalizesKept: Bool = false, workers: Workers = Workers(),
    batchTokens: Int = 2048,
    favorsLatency: Bool = false
  ) {
    var pooledWidth = pooling.outputWidth(encoder.configuration.hiddenSize)
    for projection in projections {
      precondition(projection.inputs == pooledWidth, "a projection of another width")
      pooledWidth = projection.outputs
    }
    precondition(batchTokens > 0, "a batch of \(batchTokens) tokens")
    self.encoder = encoder
    self.weights = weights
    self.adapters = adapters
    self.pooling = pooling
    self.projections = projections
    self.normalize = normalize
    self.keptValues = min(keptValues ?? pooledWidth, pooledWidth)
    self.normalizesKept = normalizesKept
    self.workers = workers
    team = Team(workers)
    self.batchTokens = batchTokens
    self.favorsLatency = favorsLatency
    arenas = (0..<workers.count).map { _ in Arena<Float>() }
  }

  /// Width of the vectors: H for each pooling mode, or that of the last projection, or less where not all
  /// is kept.
  public var width: Int { keptValues }

  private var fullWidth: Int {
    projections.last?.outputs ?? pooling.outputWidth(encoder.configuration.hiddenSize)
  }

  /// The vectors of the sequences, (sequences, ``width``) row-major, in the order given.
  ///
  /// Each sequence begins with [CLS], ends with [SEP] and has at most as many tokens as the encoder
  /// has positions. The first `promptTokens` tokens of each are left out of pooling. Pooling nothing
  /// gives zeros.
  public func embed(_ sequences: [[Int32]], promptTokens: Int = 0) -> [Float] {
    let plan = EmbeddingPlan(sequences, batchTokens: batchTokens)
    var result = [Float](repeating: 0, count: sequences.count * width)
    result.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let target = Rows(base: base)
      if favorsLatency, plan.batches.count == 1,
        plan.batches[0].reduce(0, { $0 + sequences[$1].count }) <= FewRows.limit
      {
        team.together {
          arenas[0].team = team
          run(plan.batches[0], sequences, promptTokens, into: target, arena: arenas[0])
          arenas[0].team = nil
        }
      } else {
        let queue = BatchQueue(count: plan.batches.count)
        workers.run { worker in
          while let index = queue.next() {
            run(
              plan.batches[index], sequences, promptTokens, into: target, arena: arenas[worker])
          }
        }
      }
      for (index, first) in plan.firstEqual.enumerated() where first != index {
        (base + index * width).update(from: base + first * width, count: width)
      }
    }
    return result
  }

  private func run(
    _ members: [Int], _ sequences: [[Int32]], _ promptTokens: Int, into target: Rows,
    arena: Arena<Float>
  ) {
    var batch = PackedBatch()
    for member in members { batch.append(sequences[member]) }
    guard batch.tokenCount > 0 else { return }
    let hiddenWidth = encoder.configuration.hiddenSize
    // Where each text is a batch, a short one is faster by the product of few rows, alone as in a team: the same bytes.
    let isAlone = arena.team == nil && batchTokens == 1 && batch.tokenCount <= FewRows.limit
    if isAlone { arena.team = TextEmbedder.alone }
    defer { if isAlone { arena.team = nil } }
    // A team's rows don't depend on each other.
    if arena.team == nil { batch.fillUp(width: hiddenWidth) }
    arena.reset()
    var vectors = arena.take(batch.sequenceCount * pooling.outputWidth(hiddenWidth))
    let hidden = encoder.infer(batch, weights: weights, adapters: adapters, arena: arena)
    pooling.forward(
      vectors, hidden: hidden, batch: batch, width: hiddenWidth, skipping: promptTokens)
    for projection in projections {
      vectors = project(vectors, by: projection, rows: members.count, arena: arena)
    }
    if normalize {
      let norms = arena.take(members.count)
      L2Normalize.forward(
        y: vectors, norm: norms, x: vectors, rows: members.count, width: fullWidth)
    }
    for (row, member) in members.enumerated() {
      let place = target.base + member * width
      place.update(from: vectors + row * fullWidth, count: width)
      guard normalizesKept, width < fullWidth else { continue }
      var norm: Float = 0
      L2Normalize.forward(y: place, norm: &norm, x: place, rows: 1, width: width)
    }
  }

  private func project(
    _ vectors: UnsafeMutablePointer<Float>, by projection: VectorProjection, rows: Int,
    arena: Arena<Float>
  ) -> UnsafeMutablePointer<Float> {
    let padded = max(rows, SteadyRows.fewest(projection.inputs, projection.outputs))
    let x = arena.take(padded * projection.inputs)
    x.update(from: vectors, count: rows * projection.inputs)
    (x + rows * projection.inputs).update(
      repeating: 0, count: (padded - rows) * projection.inputs)
    let y = arena.take(padded * projection.outputs)
    projection.forward(y, x: x, rows: padded)
    return y
  }

  /// Rows of the result; each is written by the one worker that has its batch.
  private struct Rows: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
  }
}

/// Which sequences go through the encoder together.
struct EmbeddingPlan {
  /// Indices of sequences, longest batch first; equal sequences occur once.
  private(set) var batches: [[Int]] = []
  /// For each sequence the first one that is equal to it.
  private(set) var firstEqual: [Int] = []

  init(_ sequences: [[Int32]], batchTokens: Int) {
    var seen: [[Int32]: Int] = [:]
    var distinct: [Int] = []
    for (index, sequence) in sequences.enumerated() {
      if let first = seen[sequence] {
        firstEqual.append(first)
      } else {
        seen[sequence] = index
        firstEqual.append(index)
        distinct.append(index)
      }
    }
    distinct.sort { a, b in
      (sequences[b].count, a) < (sequences[a].count, b)
    }
    var tokens = 0
    for index in distinct {
      let count = sequences[index].count
      if batches.isEmpty || tokens + count > batchTokens {
        batches.append([])
        tokens = 0
      }
      batches[batches.count - 1].append(index)
      tokens += count
    }
  }
}

/// Hands out 0..<count, each number once, to whichever worker asks next.
private final class BatchQueue: @unchecked Sendable {
  private let lock = DispatchSemaphore(value: 1)
  private let count: Int
  private var issued = 0

  init(count: Int) { self.count = count }

  func next() -> Int? {
    lock.wait()
    defer { lock.signal() }
    guard issued < count else { return nil }
    issued += 1
    return issued - 1
  }
}
