import ArgumentParser
import Datasets
import Foundation
import Recommendation

/// What a variant reached with one seed.
struct AblationRow: Codable {
  var variant: String
  var seed: UInt64
  /// Files and options that the result depends on, as they were named.
  var source: AblationSource
  /// Time of what the variant doesn't share with others.
  var seconds: Double
  var figures: AblationFigures
}

/// What an ablation learns from.
struct AblationSource: Codable, Equatable {
  /// The behaviours' file.
  var train: String
  /// The split whose kept items judge too; nil without one.
  var split: String?
  /// The items' file.
  var items: String
  /// Labels from here on are positive; nil where the labels decide.
  var positiveLabel: Double?
  /// The encoder's directory.
  var encoder: String
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
  func row(_ variant: String, seed: UInt64, _ source: AblationSource) -> AblationRow? {
    rows.first { $0.variant == variant && $0.seed == seed && $0.source == source }
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
