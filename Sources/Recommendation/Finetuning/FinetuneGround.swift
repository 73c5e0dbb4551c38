/// What a run has before it trains: its data, their division, and what needs no training.
///
/// It depends on data, encoder, text length and seed alone, so that runs that differ in their training
/// may begin with copies of one.
package struct FinetuneGround {
  /// When the run began; its notes say the seconds since.
  let begin: ContinuousClock.Instant
  let data: FinetuneData
  let split: InnerSplit
  /// The penalty of EASE.
  let penalty: Double
  /// The texts' vectors; training adapters changes the inputs.
  var text: TextStage.Result
  /// Collaborative models of the division's training positives, and towers that are zeros until they are
  /// trained.
  var models: FittedModels
}

/// What training found on the inner division.
package struct FinetuneFit {
  /// Where the training of towers and adapters ended.
  let towers: TowerStage.Result
  /// The items under all models.
  let space: ItemSpace
  let fusion: FusionFitter.Result
}

extension FittedModels {
  /// The scores that these models can give.
  var scoreParts: [ScorePart] { ScorePart.allCases.filter { $0 != .ridge || ridge != nil } }
}
