import Datasets
import Foundation
import Kernels

/// Learns the fusion on an ``InnerSplit``: weights for new items, weights for warm items, and one scale.
struct FusionFitter {
  let split: InnerSplit
  let models: FittedModels
  let space: ItemSpace
  let users: IDTable
  let items: IDTable
  let userFeatures: DenseMatrix?
  let workers: Workers
  /// The parts by whose number it is decided how many users are looked at; nil for those that are fitted.
  ///
  /// Fits with and without a part are compared on the same users.
  var sizedFor: [ScorePart]?

  /// What the fitter found; NDCG@20 on validation users.
  struct Result {
    var weights: FusionWeights
    var coldNDCG: Double
    var warmNDCG: Double
    var balancedNDCG: Double
    /// NDCG@20 of each part alone, on new and on warm items.
    var coldParts: [ScorePart: Double]
    var warmParts: [ScorePart: Double]
    var calibration: PlattScaling
  }

  func fit(parts: [ScorePart]) throws -> Result {
    let newParts = parts.filter(\.scoresNewItems)
    let sizes = sizedFor ?? parts
    let newCount = sizes.filter(\.scoresNewItems).count
    let (cold, _) = try scores(
      newParts, relevant: split.cold, candidates: split.pseudoCold,
      limit: max(
        300, min(2000, FusionFitter.mostScores / (newCount * split.pseudoCold.count))))
    let coldFit = CoordinateAscent().fit(
      cold, from: newParts.map { FusionFitter.usual[$0] ?? 0 }, workers: workers)
    let everything = (0..<Int32(space.count)).map { $0 }
    let limit = max(50, min(600, 300_000_000 / max(1, 4 * space.count * sizes.count)))
    let (warm, warmUsers) = try scores(
      parts, relevant: split.held, candidates: everything, limit: limit, onlyWarm: true)
    let warmFit = CoordinateAscent().fit(warm, workers: workers)
    var weights = FusionWeights(
      cold: named(cold.parts, coldFit.weights), warm: named(warm.parts, warmFit.weights))
    let balanced = balance(warm, users: warmUsers)
    let balancedNDCG = showNewItems(&weights, balanced, best: fitScale(&weights, balanced))
    return Result(
      weights: weights, coldNDCG: coldFit.ndcg, warmNDCG: warmFit.ndcg,
      balancedNDCG: balancedNDCG, coldParts: named(cold.parts, coldFit.single),
      warmParts: named(warm.parts, warmFit.single),
      calibration: calibrate(balanced, weights, users: warmUsers))
  }

  /// Weights that new items begin with: what did well on different catalogues.
  private static let usual: [ScorePart: Double] = [.tower: 1, .textKernel: 0.4, .wordSpread: 0.3]

  /// Numbers in memory at most while weights for new items are tried.
  private static let mostScores = 60_000_000

  private func named(_ parts: [ScorePart], _ values: [Double]) -> [ScorePart: Double] {
    Dictionary(uniqueKeysWithValues: zip(parts, values))
  }

  private func scores(
    _ parts: [ScorePart], relevant: SparseMatrix, candidates: [Int32], limit: Int,
    onlyWarm: Bool = false
  ) throws -> (ValidationScores, [Int32]) {
    let chosen = split.users(relevant, names: users, limit: limit)
    let scorers = try models.scorers(
      parts, space: space, userFeatures: userFeatures?.selectingRows(chosen), workers: workers)
    let fused = FusedScorer(
      weights: FusionWeights(cold: [:], warm: [:]), parts: scorers, counts: space.counts,
      referenceCount: space.count)
    var position = [Int32](repeating: -1, count: space.count)
    for (n, item) in candidates.enumerated() { position[Int(item)] = Int32(n) }
    func places(_ matrix: SparseMatrix, _ user: Int32) -> [Int32] {
      matrix.columns(ofRow: Int(user)).map { position[Int($0)] }.filter { $0 >= 0 }
    }
    let notWarm =
      onlyWarm ? (0..<space.count).filter { space.counts[$0] == 0 }.map { Int32($0) } : []
    let excluded = chosen.map { (places(split.train, $0) + notWarm).sorted() }
    return (
      ValidationScores(
        scorer: fused,
        histories: (onlyWarm ? split.train : split.histories).selectingRows(chosen),
        candidates: candidates,
        relevant: chosen.map { places(relevant, $0) }, excluded: excluded,
        // Which items are new is chance; of the warm ones all are there.
        groups: onlyWarm ? [] : candidates.map { group($0) }, workers: workers),
      chosen
    )
  }

  /// The group of an item, by a hash of its id.
  private func group(_ item: Int32) -> UInt8 {
    UInt8(portableHash("group|\(items[Int(item)])") % UInt64(ValidationScores.groupCount))
  }

  /// Warm and pseudo-cold candidates together.
  ///
  /// Of the pseudo-cold positives the share that warm items have held out is kept, so that showing
  /// cold items more often than they deserve doesn't pay.
  private func balance(_ warm: ValidationScores, users chosen: [Int32]) -> ValidationScores {
    var isCold = [Bool](repeating: false, count: space.count)
    for item in split.pseudoCold { isCold[Int(item)] = true }
    let limit = UInt64(InnerSplit.share * 0x1p63) * 2
    var relevant = warm.relevant
    var excluded: [[Int32]] = []
    for (row, user) in chosen.enumerated() {
      var out = split.train.columns(ofRow: Int(user)).map { $0 }
      for item in split.cold.columns(ofRow: Int(user)) {
        if portableHash("balance|\(users[Int(user)])|\(items[Int(item)])") < limit {
          relevant[row].append(item)
        } else {
          out.append(item)
        }
      }
      for item in 0..<space.count where space.counts[item] == 0 && !isCold[item] {
        out.append(Int32(item))
      }
      excluded.append(out)
    }
    return ValidationScores(warm, relevant: relevant, excluded: excluded)
  }

  /// Tries scales, shifts and half counts in turn.
  private func fitScale(_ weights: inout FusionWeights, _ scores: ValidationScores) -> Double {
    var best = scores.ndcg(weights, counts: space.counts, workers: workers)
    for _ in 0..<2 {
      for (path, options) in [
        (\FusionWeights.coldShift, [-3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3]),
        (\FusionWeights.coldScale, [0.25, 0.5, 0.75, 1, 1.5, 2, 3]),
        (\FusionWeights.halfCount, [0, 0.5, 1, 2, 4, 8]),
      ] as [(WritableKeyPath<FusionWeights, Double>, [Double])] {
        for option in options where option != weights[keyPath: path] {
          var trial = weights
          trial[keyPath: path] = option
          let value = scores.ndcg(trial, counts: space.counts, workers: workers)
          if value > best + 0.0002 { (weights, best) = (trial, value) }
        }
      }
    }
    return best
  }

  /// Raises the shift of new items for as long as it costs nearly nothing.
  ///
  /// Where warm items are easy to rank the best shift may hide new items altogether; nobody would learn
  /// then whether they are any good. Returns the balanced NDCG@20 with the shift chosen.
  private func showNewItems(
    _ weights: inout FusionWeights, _ scores: ValidationScores, best: Double
  ) -> Double {
    var found = best
    while weights.coldShift < 4 {
      var trial = weights
      trial.coldShift += 0.25
      let value = scores.ndcg(trial, counts: space.counts, workers: workers)
      guard value >= best * (1 - FusionFitter.price) else { break }
      (weights, found) = (trial, value)
    }
    return found
  }

  /// The share of balanced NDCG@20 that showing new items may cost.
  private static let price = 0.005

  /// Probabilities for fused scores: the chance that a pair outside training is a behaviour.
  private func calibrate(
    _ scores: ValidationScores, _ weights: FusionWeights, users chosen: [Int32]
  ) -> PlattScaling {
    var samples: [PlattScaling.Sample] = []
    let line = ScalarBuffer<Float>(space.count)
    for user in 0..<min(scores.userCount, 200) {
      scores.fill(user, line.pointer, weights, counts: space.counts)
      var isOut = [Bool](repeating: false, count: space.count)
      for place in scores.excluded[user] { isOut[Int(place)] = true }
      var isPositive = [Bool](repeating: false, count: space.count)
      for place in scores.relevant[user] { isPositive[Int(place)] = true }
      for item in 0..<space.count where !isOut[item] {
        // One negative in fifty stands for all, which changes nothing but the time.
        if isPositive[item] {
          samples.append(.init(score: Double(line.pointer[item]), isPositive: true, weight: 1))
        } else if item % 50 == user % 50 {
          samples.append(.init(score: Double(line.pointer[item]), isPositive: false, weight: 50))
        }
      }
    }
    return PlattScaling.fit(samples)
  }
}

extension ValidationScores {
  /// The same scores with other relevant and excluded candidates.
  init(_ other: ValidationScores, relevant: [[Int32]], excluded: [[Int32]]) {
    parts = other.parts
    userCount = other.userCount
    candidates = other.candidates
    values = other.values
    groups = other.groups
    self.relevant = relevant
    self.excluded = excluded
  }

  /// A user's fused scores; candidates are the whole catalogue.
  func fill(
    _ user: Int, _ scores: UnsafeMutablePointer<Float>, _ weights: FusionWeights, counts: [Float]
  ) {
    let cold = ScalarBuffer<Float>(candidates.count)
    cold.pointer.initialize(repeating: 0, count: candidates.count)
    scores.update(repeating: 0, count: candidates.count)
    for (index, part) in parts.enumerated() {
      let source = values.pointer + (index * userCount + user) * candidates.count
      if let weight = weights.warm[part], weight != 0 {
        Float.axpy(candidates.count, Float(weight), source, scores)
      }
      if let weight = weights.cold[part], weight != 0 {
        Float.axpy(candidates.count, Float(weight), source, cold.pointer)
      }
    }
    let (scale, shift) = (Float(weights.coldScale), Float(weights.coldShift))
    for n in 0..<candidates.count {
      let gate = weights.gate(counts[n])
      scores[n] = gate * scores[n] + (1 - gate) * (scale * cold.pointer[n] + shift)
    }
  }

  /// Mean NDCG@20 of the whole fusion.
  func ndcg(_ weights: FusionWeights, counts: [Float], workers: Workers) -> Double {
    evaluate(workers: workers) { user, scores in fill(user, scores, weights, counts: counts) }.ndcg
  }
}
