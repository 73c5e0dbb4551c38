import Foundation
import Recommendation
import Training

/// The log of a fine-tuning run: one JSON object an epoch, and the same for TensorBoard.
enum FinetuneLog {
  static let name = "training.jsonl"

  static func text(_ records: [FinetuneRecord]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return try records.map {
      String(decoding: try encoder.encode($0), as: UTF8.self) + "\n"
    }.joined()
  }

  /// Each stage counts its own epochs, so its tags bear its name.
  static func events(_ records: [FinetuneRecord]) -> [EventFile.Event] {
    records.map { record in
      .init(
        step: record.epoch, seconds: record.seconds,
        values: [
          ("\(record.stage)/loss", record.loss), ("\(record.stage)/validation", record.validation),
        ])
    }
  }

  /// The epochs of a model's log; empty where it has none, or one of another kind.
  static func read(from model: URL) -> [FinetuneRecord] {
    let url = model.appendingPathComponent(name)
    let text = String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(FinetuneRecord.self, from: Data($0.utf8))
    }
  }
}
