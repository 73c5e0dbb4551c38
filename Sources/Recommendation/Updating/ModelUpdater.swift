import Datasets
import Kernels

/// Folds new behaviours into a fine-tuned model and judges the result on the newest of them.
///
/// Encoder, whitening, words, fusion weights and calibration stay. New items, and known ones with another
/// text or other columns, are represented first, for the present version too. Three steps follow one
/// another, each kept only where it isn't worse by NDCG@20 on half of the users with held-out behaviours:
/// the collaborative models, the towers, the adapters. The other half then compares the result with the
/// present version; both are given the same histories. An accepted model takes the held-out behaviours
/// into its collaborative models and histories before it is handed out.
public struct ModelUpdater {
  private let options: UpdateOptions
  private let workers: Workers
  private let note: (String) -> Void

  /// Creates an updater; `note` is told what happens, in words.
  public init(
    options: UpdateOptions = UpdateOptions(), workers: Workers,
    note: @escaping (String) -> Void = { _ in }
  ) {
    self.options = options
    self.workers = workers
    self.note = note
  }

  /// The updated model, or nil where it would be worse, and what was found.
  ///
  /// - Throws: ``RecommenderError`` when nothing is new, or too little to judge by; what fitting throws.
  public func run(
    _ recommender: Recommender, _ input: UpdateInput
  ) throws -> (model: Recommender?, report: UpdateReport) {
    let data = try UpdateData(recommender, input, options: options, workers: workers)
    var report = data.report
    note(
      "\(report.newPositives) new positives of \(report.rows) rows, \(report.newUsers) new users, "
        + "\(report.newItems) new items, \(report.changedItems ?? 0) changed; "
        + "\(report.heldOut) newest held out, "
        + "\(report.choosingUsers) + \(report.judgingUsers) users judge")
    guard options.isForced || min(data.choosing.count, data.judging.count) >= options.minimumUsers
    else {
      throw RecommenderError(
        "too little to judge an update by: \(report.choosingUsers) + \(report.judgingUsers) users with "
          + "held-out behaviours where \(options.minimumUsers) + \(options.minimumUsers) are needed; "
          + "give more behaviours, or --force")
    }
    let penalty = try data.current.easePenalty(workers: workers)
    var candidate = try candidate(data, penalty, &report)
    let judgement = PairedJudgement(
      try data.ndcg(data.current, users: data.judging, workers: workers),
      try data.ndcg(candidate, users: data.judging, workers: workers))
    (report.currentNDCG, report.updatedNDCG) = (judgement.before, judgement.after)
    report.standardError = judgement.standardError
    report.isAccepted = judgement.isNotWorse(tolerance: options.tolerance) || options.isForced
    note(
      "judgement: NDCG@20 \(UpdateReport.figure(judgement.before)) of the version in use, "
        + "\(UpdateReport.figure(judgement.after)) updated, standard error of the difference "
        + UpdateReport.figure(judgement.standardError))
    guard report.isAccepted else { return (nil, report) }
    if report.stages.contains(where: { $0.name == "collaborative" && $0.kept }) {
      candidate = try candidate.refittingCollaborative(
        users: data.users, histories: data.full, userFeatures: data.userFeatures,
        touched: touched(data.held), penalty: penalty, workers: workers)
    } else {
      candidate = candidate.replacing(
        users: data.users, histories: data.full, userFeatures: data.userFeatures)
    }
    return (candidate, report)
  }

  /// The steps, each against the model before it.
  private func candidate(
    _ data: UpdateData, _ penalty: Double, _ report: inout UpdateReport
  ) throws -> Recommender {
    var model = data.current
    var best = try data.ndcg(model, users: data.choosing, workers: workers)
    func judge(_ name: String, tolerance: Double, _ trial: Recommender) throws {
      let figures = try data.ndcg(trial, users: data.choosing, workers: workers)
      let judgement = PairedJudgement(best, figures)
      let isKept = judgement.isNotWorse(tolerance: tolerance) || options.isForced
      report.stages.append(
        .init(name: name, before: judgement.before, after: judgement.after, kept: isKept))
      note(
        "\(name): NDCG@20 \(UpdateReport.figure(judgement.before)) -> "
          + "\(UpdateReport.figure(judgement.after)), \(isKept ? "kept" : "left out")")
      if isKept { (model, best) = (trial, figures) }
    }
    try judge(
      "collaborative", tolerance: options.tolerance,
      data.current.refittingCollaborative(
        users: data.users, histories: data.fresh, userFeatures: data.userFeatures,
        touched: touched(events: data.events), penalty: penalty, workers: workers))
    model = model.replacing(
      users: data.users, histories: data.fresh, userFeatures: data.userFeatures)
    // Pointwise losses learn from labels, of which a model's directory has none.
    guard !model.options.towers.loss.isPointwise, options.epochs > 0 else { return model }
    model = model.withInputsOfAdapters(workers: workers)
    let training = TowerContinuation(
      model, new: data.events, old: data.current.histories, options: options, workers: workers)
    try judge("towers", tolerance: 0, training.trainingTowers())
    if model.adapters != nil, options.adapterSteps > 0 {
      let further = TowerContinuation(
        model, new: data.events, old: data.current.histories, options: options,
        workers: workers)
      try judge("adapters", tolerance: 0, further.trainingAdapters())
    }
    return model
  }

  private func touched(events: [(user: Int32, item: Int32)]) -> [Int32] {
    Array(Set(events.map(\.item))).sorted()
  }

  private func touched(_ matrix: SparseMatrix) -> [Int32] { Array(Set(matrix.columns)).sorted() }
}

extension UpdateReport {
  /// A figure for people.
  static func figure(_ value: Double) -> String {
    let thousandths = Int((value * 10_000).rounded())
    let digits = String(thousandths % 10_000)
    return "\(thousandths / 10_000)." + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
