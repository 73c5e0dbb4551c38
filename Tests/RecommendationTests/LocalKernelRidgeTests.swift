import Kernels
import Recommendation
import Testing

@Suite("Kernel ridge regression among neighbours")
struct LocalKernelRidgeTests {
  private let count = 9

  private func unit(_ values: [[Double]]) -> [[Double]] {
    values.map { row in
      let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / length }
    }
  }

  private var white: [[Double]] {
    let rows = (0..<count).map { (i: Int) -> [Double] in
      (0..<4).map { (d: Int) -> Double in
        let whole = (i * 5 + d * d * 3) % 11
        return Double(whole) - 4.5
      }
    }
    return unit(rows)
  }

  private var words: [[Double]] {
    let rows = (0..<count).map { (i: Int) -> [Double] in
      (0..<5).map { (d: Int) -> Double in
        let whole = (i * 3 + d * 7) % 4
        return d == 0 ? Double(whole) + 0.5 : Double(whole)
      }
    }
    return unit(rows)
  }

  private func makeTexts() throws -> LocalKernelRidge.Texts {
    let sparse = words.map { row in row.enumerated().filter { $0.1 != 0 } }
    var offsets = [0]
    for row in sparse { offsets.append((offsets.last ?? 0) + row.count) }
    let matrix = try SparseMatrix(
      rowCount: count, columnCount: 5, offsets: offsets,
      columns: sparse.flatMap { $0.map { Int32($0.0) } },
      values: sparse.flatMap { $0.map { Float($0.1) } })
    return .init(
      white: DenseMatrix(
        rowCount: count, columnCount: 4, values: white.flatMap { $0.map { Float($0) } }),
      words: matrix)
  }

  private func kernel(_ i: Int, _ j: Int) -> Double {
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    var power = 1.0
    for _ in 0..<8 { power *= (1 + dot(white[i], white[j])) / 2 }
    return 2 * power + dot(words[i], words[j])
  }

  /// (K + I)^-1 k by Gauss-Jordan elimination in Double.
  private func solution(_ query: Int, _ near: [Int]) -> [Double] {
    var rows = near.map { i in near.map { kernel(i, $0) + (i == $0 ? 1 : 0) } + [kernel(query, i)] }
    for pivot in rows.indices {
      let scale = rows[pivot][pivot]
      rows[pivot] = rows[pivot].map { $0 / scale }
      for other in rows.indices where other != pivot {
        let factor = rows[other][pivot]
        rows[other] = zip(rows[other], rows[pivot]).map { $0 - factor * $1 }
      }
    }
    return rows.map { $0[near.count] }
  }

  @Test("the weights solve the system over the neighbours found in either space")
  func weights() throws {
    let texts = try makeTexts()
    let near: [[Int32]] = [[1, 3, 4, 3, 7], [2, 5, 2, 0, 8]]
    let queries = LocalKernelRidge.Texts(
      white: texts.white.selectingRows([0, 6]), words: texts.words.selectingRows([0, 6]))
    let found = LocalKernelRidge().weights(
      of: queries, among: texts, near: near, workers: Workers(count: 2))
    for (row, (query, items)) in [(0, [1, 3, 4, 7]), (6, [0, 2, 5, 8])].enumerated() {
      #expect(Array(found.columns(ofRow: row)) == items.map { Int32($0) })
      for (a, b) in zip(found.values(ofRow: row), solution(query, items)) {
        #expect(abs(Double(a) - b) < 1e-5)
      }
    }
  }

  @Test("of too many neighbours the nearest by the kernel stay; none at all give no weights")
  func limits() throws {
    let texts = try makeTexts()
    var regression = LocalKernelRidge()
    regression.neighbours = 3
    let others = (1..<count).map { Int32($0) }
    let found = regression.weights(
      of: .init(
        white: texts.white.selectingRows([0, 1]), words: texts.words.selectingRows([0, 1])),
      among: texts, near: [others, []], workers: Workers(count: 1))
    let nearest = others.sorted { kernel(0, Int($0)) > kernel(0, Int($1)) }.prefix(3).sorted()
    #expect(Array(found.columns(ofRow: 0)) == nearest)
    #expect(found.columns(ofRow: 1).isEmpty)
  }
}
