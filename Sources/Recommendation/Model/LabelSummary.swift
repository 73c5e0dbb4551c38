import Foundation
public import Metrics

extension LabelMetrics {
  /// The figures in one line, for people.
  public var summary: String {
    var parts: [String] = []
    if let b = binary {
      parts.append(
        String(
          format: "accuracy %.4f, precision %.4f, recall %.4f, F1 %.4f, AUC %.4f (%d rows)",
          b.accuracy, b.precision, b.recall, b.f1, b.auc, b.count))
    }
    if let r = rating {
      parts.append(String(format: "MAE %.4f, MSE %.4f (%d rows)", r.mae, r.mse, r.count))
    }
    return parts.joined(separator: "; ")
  }
}
