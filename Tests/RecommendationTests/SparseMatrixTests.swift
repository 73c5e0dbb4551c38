import Kernels
import Recommendation
import TestSupport
import Testing

@Suite struct SparseMatrixTests {
  private let workers = Workers(count: 2)

  private func example() throws -> SparseMatrix {
    // 0 2 0 / 0 0 0 / 5 0 3
    try SparseMatrix(
      rowCount: 3, columnCount: 3,
      entries: [
        .init(row: 2, column: 2, value: 3), .init(row: 0, column: 1, value: 2),
        .init(row: 2, column: 0, value: 5),
      ])
  }

  @Test func entriesFindTheirPlaces() throws {
    let matrix = try example()
    #expect(matrix.offsets == [0, 1, 1, 3])
    #expect(matrix.columns == [1, 0, 2])
    #expect(matrix.values == [2, 5, 3])
    #expect(matrix.dense().values == [0, 2, 0, 0, 0, 0, 5, 0, 3])
    #expect(matrix.columnSums() == [5, 2, 3])
    #expect(Array(matrix.columns(ofRow: 2)) == [0, 2])
    #expect(Array(matrix.values(ofRow: 2)) == [5, 3])
  }

  @Test func transposeAndSelections() throws {
    let matrix = try example()
    #expect(matrix.transposed().dense().values == [0, 0, 5, 2, 0, 0, 0, 0, 3])
    #expect(matrix.transposed().transposed() == matrix)
    #expect(matrix.selectingRows([2, 0]).dense().values == [5, 0, 3, 0, 2, 0])
    #expect(matrix.selectingColumns([0, 2]).dense().values == [0, 0, 0, 0, 5, 3])
  }

  @Test("Repeated entries", arguments: zip([0, 1, 2], [Float(6), 4, 2]))
  func duplicates(_ rule: Int, _ expected: Float) throws {
    let rules: [SparseMatrix.Duplicates] = [.sum, .maximum, .last]
    let entries = [Float(4), 0, 2].map { SparseMatrix.Entry(row: 1, column: 1, value: $0) }
    let matrix = try SparseMatrix(
      rowCount: 2, columnCount: 2, entries: entries, duplicates: rules[rule])
    #expect(matrix.columns == [1])
    #expect(matrix.values == [expected])
  }

  @Test func historiesAreOnesWithoutRepeats() throws {
    let matrix = try SparseMatrix(histories: [[3, 1, 3], [], [0]], columnCount: 4)
    #expect(matrix.dense().values == [0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0])
  }

  @Test func products() throws {
    let matrix = try example()
    let dense = DenseMatrix(rowCount: 3, columnCount: 2, values: [1, 2, 3, 4, 5, 6])
    #expect(matrix.times(dense, workers: workers).values == [6, 8, 0, 0, 20, 28])
    #expect(matrix.gram(workers: workers).values == [25, 0, 15, 0, 4, 0, 15, 0, 9])
    let unit = matrix.normalizingRows()
    expectClose(
      unit.values, [1, 5 / Float(34).squareRoot(), 3 / Float(34).squareRoot()], absolute: 1e-7)
  }

  @Test func largeGramIsTheProduct() throws {
    var generator = TestGenerator(seed: 9)
    let entries = (0..<3000).map { _ in
      SparseMatrix.Entry(
        row: Int32(generator.next() % 80), column: Int32(generator.next() % 200),
        value: Float(generator.next() % 5))
    }
    let matrix = try SparseMatrix(
      rowCount: 80, columnCount: 200, entries: entries, duplicates: .last)
    let transpose = matrix.transposed().dense()
    let expected = transpose.timesTranspose(transpose, workers: workers)
    #expect(matrix.gram(workers: workers).values == expected.values)
  }

  @Test func entriesOutsideAreErrors() {
    #expect(
      throws: SparseMatrixError.outside(row: 0, column: 3, rowCount: 1, columnCount: 3)
    ) {
      try SparseMatrix(rowCount: 1, columnCount: 3, entries: [.init(row: 0, column: 3)])
    }
    #expect(
      throws: SparseMatrixError.outside(row: -1, column: 0, rowCount: 1, columnCount: 3)
    ) {
      try SparseMatrix(rowCount: 1, columnCount: 3, entries: [.init(row: -1, column: 0)])
    }
    #expect(throws: SparseMatrixError.notFinite(row: 0, column: 1)) {
      try SparseMatrix(
        rowCount: 1, columnCount: 3, entries: [.init(row: 0, column: 1, value: .nan)])
    }
  }

  @Test("Damaged parts are errors")
  func damagedParts() {
    func parts(_ offsets: [Int], _ columns: [Int32], _ values: [Float]) throws {
      _ = try SparseMatrix(
        rowCount: 2, columnCount: 2, offsets: offsets, columns: columns, values: values)
    }
    #expect(throws: SparseMatrixError.counts(columns: 1, values: 0)) {
      try parts([0, 1, 1], [0], [])
    }
    #expect(throws: SparseMatrixError.offsets(row: 0)) { try parts([0, 1], [0], [1]) }
    #expect(throws: SparseMatrixError.offsets(row: 1)) { try parts([0, 1, 0], [0], [1]) }
    #expect(throws: SparseMatrixError.offsets(row: 1)) { try parts([0, 1, 9], [0], [1]) }
    #expect(throws: SparseMatrixError.offsets(row: 2)) { try parts([0, 1, 1], [0, 1], [1, 1]) }
    #expect(throws: SparseMatrixError.order(row: 0)) { try parts([0, 2, 2], [1, 0], [1, 1]) }
    #expect(throws: SparseMatrixError.outside(row: 0, column: 2, rowCount: 2, columnCount: 2)) {
      try parts([0, 1, 1], [2], [1])
    }
    #expect(throws: SparseMatrixError.notFinite(row: 0, column: 1)) {
      try parts([0, 1, 1], [1], [.infinity])
    }
  }
}
