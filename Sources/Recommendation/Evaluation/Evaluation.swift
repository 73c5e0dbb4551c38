public import Datasets
public import Foundation
public import Kernels
public import Metrics

/// A model's and the baselines' full-ranking metrics on a cold split, and how they compare.
public struct Evaluation: Sendable {
  /// The model against one baseline on one candidate set, by NDCG@20 of the same users.
  public struct Comparison: Sendable {
    /// The baseline.
    public let baseline: String
    /// The candidate set.
    public let set: RankingEvaluator.CandidateSet
    /// Model minus baseline.
    public let result: PairedBootstrap
  }

  /// A baseline that can't be fitted to this data.
  public struct Skipped: Sendable, Equatable {
    /// Its name.
    public let name: String
    /// Why.
    public let reason: String
  }

  /// How an evaluation is made.
  public struct Options: Sendable {
    /// The methods beside the model.
    public var baselines: [Baseline] = Baseline.allCases
    /// Seed of bootstraps, of random scores and of ALS' first factors; 1 as in bench/baselines.py.
    public var seed: UInt64 = 1
    /// How often users are drawn again for a comparison.
    public var draws = 10_000
    /// A folder for trec_eval's qrels and run files of all methods; nil writes none.
    public var trecFolder: URL?
    /// Places a user and set in those runs.
    public var trecDepth = 1000

    /// Creates the defaults: all baselines.
    public init() {}
  }

  /// The name of the model among ``methods``.
  public static let modelName = "encoder"

  /// The split.
  public let split: EvaluationSplit
  /// The model first, where there is one, then the baselines.
  public internal(set) var methods: [MethodResult] = []
  /// The model against each baseline on cold, warm and balanced sets.
  public internal(set) var comparisons: [Comparison] = []
  /// Metrics of predicted labels, for models that were fine-tuned on labels.
  public internal(set) var labels: [LabelEvaluation] = []
  /// The model's predictions beside what came true.
  public internal(set) var calibration: [CalibrationCurve] = []
  /// Baselines that couldn't be fitted.
  public internal(set) var skipped: [Skipped] = []
  /// Evaluated users that the model's training didn't have.
  public internal(set) var newUsers = 0

  /// Evaluates a fine-tuned model, and baselines fitted to the split's training positives.
  ///
  /// - Parameters:
  ///   - progress: called with the name of each method before its turn.
  /// - Throws: ``EvaluationError`` for a split that the model has seen more of than its training rows,
  ///   `ALSError` when users can't be folded in.
  public static func run(
    _ model: Recommender, on split: EvaluationSplit, options: Options = Options(),
    workers: Workers, progress: (String) -> Void = { _ in }
  ) throws -> Evaluation {
    try model.check(split)
    var evaluation = Evaluation(split: split)
    if let folder = options.trecFolder {
      try split.writeQrels(catalogue: model.items.ids, to: folder)
    }
    progress(modelName)
    let scorer = try model.scorer(for: split, workers: workers)
    evaluation.methods.append(
      try evaluation.judged(modelName, scorer, [], model.items.ids, options, workers))
    evaluation.labels = model.labelEvaluations(on: split, workers: workers)
    evaluation.calibration =
      model.options.towers.loss.isPointwise
      ? evaluation.labels.map(\.curve)
      : split.calibration(scorer) { model.calibration.probability($0) }
    evaluation.newUsers = split.evaluated.reduce(0) { sum, user in
      let known = split.users.withBytes(of: Int(user)) { model.users.index(of: $0) }
      return sum + (known == nil ? 1 : 0)
    }
    try evaluation.addBaselines(model.items, options, workers, progress)
    evaluation.compare(options, workers)
    return evaluation
  }

  /// Evaluates the baselines alone, over the items of a table.
  ///
  /// - Throws: `DatasetError` when the files of `options.trecFolder` can't be written.
  public static func run(
    baselinesOver items: ItemTable, on split: EvaluationSplit, options: Options = Options(),
    workers: Workers, progress: (String) -> Void = { _ in }
  ) throws -> Evaluation {
    var evaluation = Evaluation(split: split)
    if let folder = options.trecFolder {
      try split.writeQrels(catalogue: items.ids, to: folder)
    }
    try evaluation.addBaselines(items, options, workers, progress)
    return evaluation
  }

  init(split: EvaluationSplit) { self.split = split }

  private mutating func addBaselines(
    _ items: ItemTable, _ options: Options, _ workers: Workers, _ progress: (String) -> Void
  ) throws {
    var fitter = BaselineFitter(
      split: split, items: items.ids, texts: items.texts, seed: options.seed, workers: workers)
    for method in options.baselines {
      progress(method.rawValue)
      let fitted: (scorer: any UserScorer, notes: [String])
      do { fitted = try fitter.fit(method) } catch {
        // Texts without words, or too few items: the other methods are still worth having.
        skipped.append(Skipped(name: method.rawValue, reason: String(describing: error)))
        continue
      }
      methods.append(
        try judged(
          method.rawValue, fitted.scorer, fitted.notes, items.ids, options, workers))
    }
  }

  /// A method's metrics; its run goes to the folder of the options.
  private func judged(
    _ name: String, _ scorer: any UserScorer, _ notes: [String], _ catalogue: IDTable,
    _ options: Options, _ workers: Workers
  ) throws -> MethodResult {
    if let folder = options.trecFolder {
      try split.write(
        split.runs(scorer, depth: options.trecDepth, workers: workers), method: name,
        catalogue: catalogue, to: folder)
    }
    return split.judge(name, scorer, notes: notes, seed: options.seed, workers: workers)
  }

  /// The model against each baseline; each comparison is one worker's.
  mutating func compare(_ options: Options, _ workers: Workers) {
    guard let model = methods.first(where: { $0.name == Evaluation.modelName }) else { return }
    let sets: [RankingEvaluator.CandidateSet] = [.cold, .warm, .balanced]
    let pairs = methods.filter { $0.name != model.name }
      .flatMap { baseline in sets.map { (baseline, $0) } }
    var found = [Comparison?](repeating: nil, count: pairs.count)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      workers.runChunks(pairs.count, chunk: 1) { _, range in
        for place in range {
          let (baseline, set) = pairs[place]
          let rows = zip(model.results, baseline.results).compactMap { ours, theirs in
            ours[set].flatMap { a in theirs[set].map { (a.ndcg20, $0.ndcg20) } }
          }
          guard !rows.isEmpty else { continue }
          found[place] = Comparison(
            baseline: baseline.name, set: set,
            result: PairedBootstrap(
              ours: rows.map(\.0), theirs: rows.map(\.1), draws: options.draws,
              seed: options.seed))
        }
      }
    }
    comparisons = found.compactMap { $0 }
  }
}
