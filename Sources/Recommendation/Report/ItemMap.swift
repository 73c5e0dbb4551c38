import Datasets
import Kernels
import Reporting

/// The vectors of the items in two dimensions: their two principal components, of a sample.
struct ItemMap {
  let recommender: Recommender
  let workers: Workers
  static let sampleSize = 1500

  init(_ recommender: Recommender, workers: Workers) {
    self.recommender = recommender
    self.workers = workers
  }

  var section: Page.Section {
    get throws {
      let sample = self.sample
      let vectors = recommender.space.towerVectors.selectingRows(sample)
      guard sample.count >= 3, vectors.columnCount >= 2 else { return .init("Map of the items") }
      let plane = try PrincipalPlane.fit(vectors)
      let (groups, members, source) = grouping(sample)
      let points = sample.indices.map { n in
        let item = Int(sample[n])
        return ScatterChart.Point(
          x: plane.points[n].x, y: plane.points[n].y, group: members[n],
          title: "\(groups[members[n]]): \(shortened(recommender.items.texts[item], to: 80))")
      }
      let total = recommender.items.count
      let shares = plane.shares.map { percent($0, 0) }
      return .init(
        "Map of the items",
        [
          .text(
            "The vectors of the item tower, projected on the two directions in which they differ most. "
              + "Items that please the same users lie near each other, whether they have behaviours or "
              + "not; two directions of \(vectors.columnCount) show a part of that."),
          .figure(
            ScatterChart(
              "\(grouped(sample.count)) items in the plane of their two principal components, coloured "
                + "by \(source)", x: "first component (\(shares[0]) of the variance)",
              y: "second component (\(shares[1]))", groups: groups, points),
            caption: (sample.count < total
              ? "A sample of \(grouped(sample.count)) of \(grouped(total)) items"
              : "\(grouped(total)) items") + ", coloured by \(source)",
            Table(
              "Items in the map by \(source)", header: [source, "items"],
              groups.indices.map { group in
                .init([groups[group], grouped(members.reduce(0) { $0 + ($1 == group ? 1 : 0) })])
              })),
        ])
    }
  }

  /// Items by the hash of their ids, in the catalogue's order.
  private var sample: [Int32] {
    let ids = recommender.items.ids
    let all = (0..<ids.count).map { (portableHash("map|\(ids[$0])"), Int32($0)) }
    return all.sorted { $0 < $1 }.prefix(ItemMap.sampleSize).map(\.1).sorted()
  }

  /// What the colours stand for: the largest categories of the first column that has some, or, where the
  /// items have none, how many behaviours an item has.
  private func grouping(_ sample: [Int32]) -> ([String], [Int], String) {
    for column in recommender.itemSchema?.columns ?? [] {
      guard case .categorical(let categories, _) = column.encoding, categories.count > 1,
        let values = recommender.items.features?.column(named: column.name)?.values
      else { continue }
      let table = IDTable(categories.prefix(7))
      let others = table.count
      let members = sample.map { item -> Int in
        let value = values[Int(item)]
        let first = value.utf8.split(separator: UInt8(ascii: "|")).first.map { String($0) ?? "" }
        return table.index(of: trimmed(first ?? "")) ?? others
      }
      return (
        table.strings.map { shortened($0, to: 30) } + ["other"], members,
        shortened(column.name, to: 30)
      )
    }
    let ranges = CountRange.itemAges
    let members = sample.map { item in
      CountRange.place(of: Int(recommender.space.counts[Int(item)]), in: ranges) ?? 0
    }
    return (
      ranges.map { $0.name == "1" ? "1 behaviour" : "\($0.name) behaviours" }, members,
      "behaviours in training"
    )
  }

  private func trimmed(_ text: String) -> String {
    var bytes = text.utf8[...]
    while bytes.first == 0x20 { bytes = bytes.dropFirst() }
    while bytes.last == 0x20 { bytes = bytes.dropLast() }
    return String(Substring(bytes))
  }
}

/// The two directions in which some vectors differ most, and where the vectors lie in their plane.
package struct PrincipalPlane {
  /// A place for each vector.
  package let points: [(x: Double, y: Double)]
  /// The shares of the variance along the two directions.
  package let shares: [Double]

  /// Projects the rows of a matrix of at least two columns; the largest element of each direction is
  /// positive.
  ///
  /// - Throws: `WhiteningError` when the vectors aren't finite or the eigenvalues don't converge.
  package static func fit(_ rows: DenseMatrix) throws -> PrincipalPlane {
    let (count, width) = (rows.rowCount, rows.columnCount)
    var mean = [Double](repeating: 0, count: width)
    for row in 0..<count {
      for (column, value) in rows.row(row).enumerated() {
        mean[column] += Double(value) / Double(count)
      }
    }
    if let column = mean.firstIndex(where: { !$0.isFinite }) {
      throw WhiteningError.notFinite(column: column)
    }
    var covariance = [Double](repeating: 0, count: width * width)
    addCovariance(of: rows, mean: mean, to: &covariance)
    let total = (0..<width).reduce(0.0) { $0 + covariance[$1 * width + $1] }
    var values = [Double](repeating: 0, count: width)
    let info = Double.syevd(width, &covariance, &values)
    guard info == 0 else { throw WhiteningError.eigenvalues(info: info) }
    let directions = [width - 1, width - 2].map { place -> [Double] in
      let vector = covariance[(place * width)..<((place + 1) * width)]
      let sign = signOfLargest(vector)
      return vector.map { $0 * sign }
    }
    let points = (0..<count).map { row -> (x: Double, y: Double) in
      var place = (x: 0.0, y: 0.0)
      for (column, value) in rows.row(row).enumerated() {
        let centred = Double(value) - mean[column]
        place.x += centred * directions[0][column]
        place.y += centred * directions[1][column]
      }
      return place
    }
    return PrincipalPlane(
      points: points,
      shares: [width - 1, width - 2].map { total > 0 ? max(0, values[$0]) / total : 0 })
  }
}
