/// Why a model can't be evaluated on a split.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// The split has items that the catalogue lacks.
  case unknownItems(split: String, count: Int, examples: [String])
  /// No user has both a training positive and a held-out one.
  case nothingHeldOut(split: String, EvaluationSplit.Part)
  /// The model has learned from behaviours on items that should be new to it.
  case trainedOnColdItems(split: String, count: Int, examples: [String])
  /// The model has learned from behaviours that are held out.
  case trainedOnHeldOut(split: String, count: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .unknownItems(let split, let count, let examples):
      "the split has \(count) items that the catalogue lacks (\(Self.list(examples, of: count))): "
        + "\(split); fine-tune with the items file that the split was made with"
    case .nothingHeldOut(let split, let part):
      "no user has both a training positive and one held out for \(part.rawValue): "
        + "\(split)/users.txt; split the behaviours with larger shares"
    case .trainedOnColdItems(let split, let count, let examples):
      "the model was fine-tuned on behaviours of \(count) cold items of this split: "
        + "\(Self.list(examples, of: count)); fine-tune on \(split)/train.csv"
    case .trainedOnHeldOut(let split, let count):
      "the model was fine-tuned on \(count) behaviours that this split holds out: "
        + "\(split)/test_warm.csv; fine-tune on \(split)/train.csv"
    }
  }

  private static func list(_ examples: [String], of count: Int) -> String {
    examples.joined(separator: ", ") + (count > examples.count ? ", ..." : "")
  }
}
