import Recommendation

/// Results of variants as Markdown.
enum AblationTable {
  static let header = """
    | variant | seed | tower | text_kernel | fusion | kept | warm | balanced | tower frozen, with adapters \
    | parameters | epochs | seconds |
    |---|---|---|---|---|---|---|---|---|---|---|---|
    """

  /// One result.
  static func line(_ row: AblationRow) -> String {
    let f = row.figures
    let measured: [Double?] = [f.tower, f.textKernel, f.fusion, f.kept, f.warm, f.balanced]
    let cells =
      [row.variant, "\(row.seed)"] + measured.map(number)
      + [adapters(f), "\(f.parameters)", "\(f.epochs)", fixed(row.seconds, 0)]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  /// Means over the seeds, in brackets the differences from the default recipe with the same seeds.
  static func summary(_ rows: [AblationRow], of variants: [AblationVariant]) -> String {
    let columns: [(AblationFigures) -> Double?] = [
      { $0.tower }, { $0.textKernel }, { $0.fusion }, { $0.kept }, { $0.warm }, { $0.balanced },
    ]
    let standard = Dictionary(
      rows.filter { $0.variant == AblationVariant.standard.name }.map { ($0.seed, $0.figures) },
      uniquingKeysWith: { first, _ in first })
    var lines = [
      "| variant | seeds | tower | text_kernel | fusion | kept | warm | balanced | what is different |",
      "|---|---|---|---|---|---|---|---|---|",
    ]
    for variant in variants {
      let own = rows.filter { $0.variant == variant.name }
      let cells = columns.map { mean(of: $0, own, standard) }
      lines.append(
        "| \(variant.name) | \(own.count) | " + cells.joined(separator: " | ")
          + " | \(variant.meaning) |")
    }
    return lines.joined(separator: "\n")
  }

  private static func mean(
    of value: (AblationFigures) -> Double?, _ rows: [AblationRow],
    _ standard: [UInt64: AblationFigures]
  ) -> String {
    var (values, differences): ([Double], [Double]) = ([], [])
    for row in rows {
      guard let own = value(row.figures) else { continue }
      values.append(own)
      guard row.variant != AblationVariant.standard.name, let other = standard[row.seed],
        let base = value(other)
      else { continue }
      differences.append(own - base)
    }
    guard !values.isEmpty else { return "" }
    let text = fixed(values.reduce(0, +) / Double(values.count), 4)
    guard !differences.isEmpty else { return text }
    let difference = differences.reduce(0, +) / Double(differences.count)
    return "\(text) (\(difference < 0 ? "" : "+")\(fixed(difference, 4)))"
  }

  /// The towers on frozen vectors and the best with adapters, and what became of those.
  private static func adapters(_ figures: AblationFigures) -> String {
    guard let adapted = figures.adaptedTower else { return "" }
    return "\(number(figures.frozenTower)), \(number(adapted)) "
      + (figures.keepsAdapters ? "kept" : "left out")
  }

  private static func number(_ value: Double?) -> String { value.map { fixed($0, 4) } ?? "" }
}
