/// Why a model can't be evaluated on a split.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// The split has items that the catalogue lacks.
  case unknownItems(count: Int, examples: [String])
  /// No user has both a training positive and a held-out one.
  case nothingHeldOut(EvaluationSplit.Part)
  /// The model has learned from behaviours on items that should be new to it.
  case trainedOnColdItems(count: Int, examples: [String])
  /// The model has learned from behaviours that are held out.
  case trainedOnHeldOut(count: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .unknownItems(let count, let examples):
      "the split has \(count) items that the catalogue lacks: \(examples.joined(separator: ", "))"
        + "\(count > examples.count ? ", ..." : ""); fine-tune with the items file that the split "
        + "was made with"
    case .nothingHeldOut(let part):
      "no user of the split has a training positive and one held out for \(part.rawValue): "
        + "users.txt; split the behaviours with larger shares"
    case .trainedOnColdItems(let count, let examples):
      "the model was fine-tuned on behaviours of \(count) cold items of this split: "
        + "\(examples.joined(separator: ", "))\(count > examples.count ? ", ..." : ""); fine-tune "
        + "on the split's train.csv"
    case .trainedOnHeldOut(let count):
      "the model was fine-tuned on \(count) behaviours that this split holds out: test_warm.csv; "
        + "fine-tune on the split's train.csv"
    }
  }
}
