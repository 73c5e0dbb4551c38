import ArgumentParser
import Datasets
import Foundation
import Recommendation

/// What a variant reached with one seed.
struct AblationRow: Codable {
  var variant: String
  var seed: UInt64
  /// The behaviours' file and the encoder's directory, as they were named.
  var train: String
  var encoder: String
  /// Time of what the variant doesn't share with others.
  var seconds: Double
  var figures: AblationFigures
}

/// Results in a file, one a line as JSON, so that an interrupted run goes on where it was.
struct AblationLog {
  private let url: URL?
  private var rows: [AblationRow] = []

  /// Reads the file's results, where there is one; without a path nothing is kept.
  init(_ path: String?) throws {
    url = path.map { URL(fileURLWithPath: $0) }
    guard let path, FileManager.default.fileExists(atPath: path) else { return }
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    do {
      rows = try data.split(separator: UInt8(ascii: "\n")).map {
        try JSONDecoder().decode(AblationRow.self, from: Data($0))
      }
    } catch {
      throw ValidationError("--output \(path) holds other lines than results of ablation")
    }
  }

  /// The result that is there already.
  func row(_ variant: String, seed: UInt64, train: String, encoder: String) -> AblationRow? {
    rows.first {
      $0.variant == variant && $0.seed == seed && $0.train == train && $0.encoder == encoder
    }
  }

  /// Adds a result; the file is replaced as a whole, so that it never holds a part of a line.
  mutating func append(_ row: AblationRow) throws {
    rows.append(row)
    guard let url else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes: [UInt8] = []
    for row in rows {
      bytes += try encoder.encode(row)
      bytes.append(UInt8(ascii: "\n"))
    }
    try AtomicFile.write(bytes, to: url)
  }
}
