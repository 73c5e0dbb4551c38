import Checkpoints
import Foundation
import Recommendation

/// Runs variants with one seed, which share whatever doesn't depend on the variant.
final class AblationStudy {
  private let model: PretrainedModel
  private let input: FinetuneInput
  private let kept: EvaluationSplit?
  private let seed: UInt64
  private let threads: Int
  private var sharedGround: FinetuneGround?
  private var standardFit: AblationFit?

  /// `kept` is a split whose cold items for tuning judge too.
  init(
    model: PretrainedModel, input: FinetuneInput, kept: EvaluationSplit?, seed: UInt64, threads: Int
  ) {
    self.model = model
    self.input = input
    self.kept = kept
    self.seed = seed
    self.threads = threads
  }

  /// A variant's figures, and the seconds of what isn't shared.
  func run(_ variant: AblationVariant) throws -> (figures: AblationFigures, seconds: Double) {
    guard variant.leavesOut.isEmpty else {
      let fit = try fitOfStandard()
      let start = ContinuousClock.now
      let figures = try fit.figures(leavingOut: variant.leavesOut, kept: kept)
      return (figures, Stopwatch.seconds(since: start))
    }
    let base = try ground(of: variant)
    let start = ContinuousClock.now
    let fit = try finetuner(variant).ablated(on: base)
    let figures = try fit.figures(kept: kept)
    let seconds = Stopwatch.seconds(since: start)
    if variant.name == AblationVariant.standard.name { standardFit = fit }
    return (figures, seconds)
  }

  /// The default recipe's fit, which fusions of fewer parts begin with.
  private func fitOfStandard() throws -> AblationFit {
    if let standardFit { return standardFit }
    let standard = AblationVariant.standard
    let fit = try finetuner(standard).ablated(on: ground(of: standard))
    standardFit = fit
    return fit
  }

  private func ground(of variant: AblationVariant) throws -> FinetuneGround {
    if variant.drawsNegatives {
      return try finetuner(variant).prepare(input.withDrawnNegatives(seed: seed))
    }
    if variant.without.changesGround { return try finetuner(variant).prepare(input) }
    if let sharedGround { return sharedGround }
    let ground = try finetuner(.standard).prepare(input)
    sharedGround = ground
    return ground
  }

  private func finetuner(_ variant: AblationVariant) -> Finetuner {
    var options = FinetuneOptions()
    options.seed = seed
    options.towers.seed = seed
    options.adapters.seed = seed
    options.adapterKind = .none
    // What a part is worth must not depend on how busy the machine is.
    options.minutes = nil
    options.threads = threads
    variant.change(&options)
    var run = Finetuner(
      model: model, options: options,
      report: { progress in
        guard case .note(let text) = progress else { return }
        FileHandle.standardError.write(Data((text + "\n").utf8))
      })
    run.without = variant.without
    return run
  }
}
