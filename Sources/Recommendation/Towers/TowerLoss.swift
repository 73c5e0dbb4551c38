import EncoderModel
import Kernels
import RealModule

/// How fine-tuning judges the towers' scores.
public enum TowerLoss: String, Sendable, Codable, CaseIterable {
  /// Sampled softmax with logQ correction (Bengio & Senécal 2003; Yi et al. 2019): implicit feedback.
  case softmax
  /// Bayesian personalised ranking (Rendle et al. 2009): positive against sampled negatives.
  case bpr
  /// Binary cross-entropy on labels 0 and 1.
  case bce
  /// Squared error on ratings.
  case mse

  /// Whether the loss looks at single rows (user, item, label) and not at rankings.
  public var isPointwise: Bool { self == .bce || self == .mse }
}

/// Ranking losses: each user of a batch has one target among the candidates, which all users share.
package struct RankingLoss<S: KernelScalar> {
  let network: TowerNetwork
  let loss: TowerLoss
  /// Row of each user's target among the candidates, (users).
  let targets: [Int32]
  /// ln of the expected number of times a candidate is drawn, (candidates).
  let logQ: [S]
  /// Positions user * candidates + candidate that are positives of the user, the target aside.
  let excluded: [Int]

  package init(
    network: TowerNetwork, loss: TowerLoss, targets: [Int32], logQ: [S], excluded: [Int]
  ) {
    self.network = network
    self.loss = loss
    self.targets = targets
    self.logQ = logQ
    self.excluded = excluded
  }

  /// Summed loss; adds gradients of `users` (users, width) and of the first `candidates` rows of `items`.
  package func run(
    users: UnsafeMutablePointer<S>, items: UnsafeMutablePointer<S>, candidates: Int,
    dUsers: UnsafeMutablePointer<S>, dItems: UnsafeMutablePointer<S>,
    weights: ParameterStore<S>, gradients: ParameterStore<S>, gradientScale: S, arena: Arena<S>
  ) -> Double {
    let (count, d) = (targets.count, network.configuration.width)
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let scores: UnsafeMutablePointer<S> = arena.take(count * candidates)
    let cosines: UnsafeMutablePointer<S> = arena.take(count * candidates)
    S.gemm(
      transposeA: false, transposeB: true, m: count, n: candidates, k: d, alpha: 1, a: users,
      lda: d, b: items, ldb: d, beta: 0, c: cosines, ldc: candidates)
    let scale = S.exp(weights[network.logScale][0])
    let value =
      loss == .bpr
      ? pairwise(scores, cosines, scale, candidates, gradientScale)
      : softmax(scores, cosines, scale, candidates, gradientScale)
    gradients[network.logScale][0] += scale * S.dot(count * candidates, scores, cosines)
    S.gemm(
      transposeA: false, transposeB: false, m: count, n: d, k: candidates, alpha: scale,
      a: scores, lda: candidates, b: items, ldb: d, beta: 1, c: dUsers, ldc: d)
    S.gemm(
      transposeA: true, transposeB: false, m: candidates, n: d, k: count, alpha: scale,
      a: scores, lda: candidates, b: users, ldb: d, beta: 1, c: dItems, ldc: d)
    return value
  }

  /// Leaves the gradient with respect to the logits in `scores`.
  private func softmax(
    _ scores: UnsafeMutablePointer<S>, _ cosines: UnsafeMutablePointer<S>, _ scale: S,
    _ candidates: Int, _ gradientScale: S
  ) -> Double {
    logQ.withUnsafeBufferPointer { q in
      for user in targets.indices {
        for c in 0..<candidates {
          scores[user * candidates + c] = scale * cosines[user * candidates + c] - q[c]
        }
      }
    }
    for place in excluded { scores[place] = -1e9 }
    return targets.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return SoftmaxCrossEntropy.forwardBackward(
        logits: scores, targets: base, rows: targets.count, classes: candidates,
        gradientScale: gradientScale
      ).loss
    }
  }

  /// -ln sigmoid(target - negative), averaged over the user's negatives.
  private func pairwise(
    _ scores: UnsafeMutablePointer<S>, _ cosines: UnsafeMutablePointer<S>, _ scale: S,
    _ candidates: Int, _ gradientScale: S
  ) -> Double {
    var total = 0.0
    scores.update(repeating: 1, count: targets.count * candidates)
    for place in excluded { scores[place] = 0 }
    for (user, target) in targets.enumerated() {
      let (row, cosine) = (scores + user * candidates, cosines + user * candidates)
      row[Int(target)] = 0
      var negatives: S = 0
      for c in 0..<candidates { negatives += row[c] }
      guard negatives > 0 else { continue }
      var pull: S = 0
      for c in 0..<candidates where row[c] > 0 {
        let margin = scale * (cosine[Int(target)] - cosine[c])
        // ln(1 + e^-m) without overflow for large negative m.
        let penalty =
          margin > 0 ? S.log(onePlus: S.exp(-margin)) : S.log(onePlus: S.exp(margin)) - margin
        total += Double(penalty / negatives)
        let slope = gradientScale / (negatives * (1 + S.exp(margin)))
        row[c] = slope
        pull += slope
      }
      row[Int(target)] = -pull
    }
    return total
  }
}

/// Losses on single rows: score = scale * cosine + item bias + user bias + bias.
package struct PointwiseLoss<S: KernelScalar> {
  let network: TowerNetwork
  let loss: TowerLoss
  /// Row of the user and of the item of each behaviour.
  let users: [Int32]
  let items: [Int32]
  /// Labels 0 and 1, or ratings.
  let labels: [S]

  package init(
    network: TowerNetwork, loss: TowerLoss, users: [Int32], items: [Int32], labels: [S]
  ) {
    self.network = network
    self.loss = loss
    self.users = users
    self.items = items
    self.labels = labels
  }

  /// Raw scores (logits or ratings) of all rows.
  package func scores(
    users u: UnsafePointer<S>, items v: UnsafePointer<S>, weights: ParameterStore<S>
  ) -> [S] {
    let d = network.configuration.width
    let scale = S.exp(weights[network.logScale][0])
    return users.indices.map { row in
      let (user, item) = (u + Int(users[row]) * d, v + Int(items[row]) * d)
      return scale * S.dot(d, user, item) + S.dot(d, item, weights[network.itemBias])
        + S.dot(d, user, weights[network.userBias]) + weights[network.bias][0]
    }
  }

  /// Summed loss; adds gradients of user and item vectors and of the head.
  package func run(
    users u: UnsafeMutablePointer<S>, items v: UnsafeMutablePointer<S>,
    dUsers: UnsafeMutablePointer<S>, dItems: UnsafeMutablePointer<S>,
    weights: ParameterStore<S>, gradients: ParameterStore<S>, gradientScale: S
  ) -> Double {
    let d = network.configuration.width
    let scale = S.exp(weights[network.logScale][0])
    var total = 0.0
    for (row, score) in scores(users: u, items: v, weights: weights).enumerated() {
      let (value, slope) = derivative(score, labels[row])
      total += Double(value)
      let g = slope * gradientScale
      let (user, item) = (Int(users[row]) * d, Int(items[row]) * d)
      S.axpy(d, g * scale, v + item, dUsers + user)
      S.axpy(d, g * scale, u + user, dItems + item)
      S.axpy(d, g, weights[network.itemBias], dItems + item)
      S.axpy(d, g, weights[network.userBias], dUsers + user)
      S.axpy(d, g, v + item, gradients[network.itemBias])
      S.axpy(d, g, u + user, gradients[network.userBias])
      gradients[network.bias][0] += g
      gradients[network.logScale][0] += g * scale * S.dot(d, u + user, v + item)
    }
    return total
  }

  private func derivative(_ score: S, _ label: S) -> (value: S, slope: S) {
    if loss == .mse { return ((score - label) * (score - label), 2 * (score - label)) }
    // max(s, 0) - s*y + ln(1 + e^-|s|) is the cross-entropy of sigmoid(s) without overflow.
    let value = max(score, 0) - score * label + S.log(onePlus: S.exp(-abs(score)))
    let probability =
      score >= 0 ? 1 / (1 + S.exp(-score)) : S.exp(score) / (1 + S.exp(score))
    return (value, probability - label)
  }
}
