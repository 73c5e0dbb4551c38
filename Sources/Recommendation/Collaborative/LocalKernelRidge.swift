package import Kernels

/// Kernel ridge regression from an item's text to its users' scores, in the neighbourhood of each item.
///
/// An item's score is a weighted sum of what its neighbours score. The weights solve
/// `(K + penalty I) w = k` over the item's nearest neighbours (as in kriging, or Gaussian process
/// regression with local experts): unlike a mean weighted by similarity they know that neighbours
/// resemble each other, don't count a family of near copies many times, and may be negative. The kernel
/// adds a power of the cosine of whitened text vectors to the cosine of TF-IDF words.
///
/// Reference: Cressie 1993, "Statistics for Spatial Data", chapter 3 (local kriging).
package struct LocalKernelRidge {
  /// Neighbours looked for in each space; the nearest by the kernel are kept.
  package var candidates = 96
  package var neighbours = 128
  /// `textShare * ((1 + cosine) / 2)^exponent` for whitened vectors, and the cosine of words.
  var textShare: Float = 2
  var exponent = 8
  var penalty: Float = 1

  package init() {}

  /// Texts by their whitened vectors and by their words, both of unit length, a row a text.
  package struct Texts {
    package let white: DenseMatrix
    package let words: SparseMatrix

    package init(white: DenseMatrix, words: SparseMatrix) {
      self.white = white
      self.words = words
    }
  }

  /// The weights of the neighbours of some texts, (queries, items); an item that is queried may be among
  /// `items`, but not among its own neighbours.
  ///
  /// - Parameter near: for each query the ``candidates`` nearest warm items by vectors and those by words;
  ///   one may be named twice.
  package func weights(
    of queries: Texts, among items: Texts, near: [[Int32]], workers: Workers
  ) -> SparseMatrix {
    let count = queries.white.rowCount
    var rows = [[(item: Int32, weight: Float)]](repeating: [], count: count)
    rows.withUnsafeMutableBufferPointer { rows in
      nonisolated(unsafe) let rows = rows
      workers.run { worker in
        let scratch = Scratch(self, queries: queries, items: items)
        var n = worker
        while n < count {
          rows[n] = scratch.solve(query: n, near[n])
          n += workers.count
        }
      }
    }
    var offsets = [0]
    var (columns, values): ([Int32], [Float]) = ([], [])
    for row in rows {
      for entry in row {
        columns.append(entry.item)
        values.append(entry.weight)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: count, columnCount: items.white.rowCount, offsets: offsets,
      columns: columns, values: values)
  }

  private func kernel(text: Float, words: Float) -> Float {
    var power: Float = 1
    let base = (1 + text) / 2
    for _ in 0..<exponent { power *= base }
    return textShare * power + words
  }

  /// What one worker needs for one item after the other.
  private final class Scratch {
    private let settings: LocalKernelRidge
    private let queries: Texts
    private let items: Texts
    private let gathered: ScalarBuffer<Float>
    private let products: ScalarBuffer<Float>
    private let kernel: ScalarBuffer<Float>
    private let side: ScalarBuffer<Float>
    /// One item's words as a full row; zero between uses.
    private let spread: ScalarBuffer<Float>

    init(_ settings: LocalKernelRidge, queries: Texts, items: Texts) {
      self.settings = settings
      self.queries = queries
      self.items = items
      let (white, words) = (items.white, items.words)
      let most = 2 * settings.candidates + 1
      gathered = ScalarBuffer(most * white.columnCount)
      products = ScalarBuffer(most * most)
      kernel = ScalarBuffer(most * most)
      side = ScalarBuffer(most)
      spread = ScalarBuffer(words.columnCount)
      spread.pointer.initialize(repeating: 0, count: words.columnCount)
    }

    func solve(query: Int, _ found: [Int32]) -> [(item: Int32, weight: Float)] {
      var near = Array(Set(found)).sorted()
      guard !near.isEmpty else { return [] }
      // The nearest by the kernel stay, in the order of the catalogue.
      let closeness = similarities(of: query, to: near)
      let order = near.indices.sorted { (closeness[$1], $0) < (closeness[$0], $1) }
      let kept = order.prefix(settings.neighbours).sorted()
      near = kept.map { near[$0] }
      let count = near.count
      fillKernel(near)
      for (n, place) in kept.enumerated() { side.pointer[n] = closeness[place] }
      guard Float.potrf(count, kernel.pointer) == 0,
        Float.potrs(count, count: 1, kernel.pointer, side.pointer) == 0
      else { return [] }
      return (0..<count).map { (near[$0], side.pointer[$0]) }
    }

    /// The kernel between a query and items.
    private func similarities(of query: Int, to near: [Int32]) -> [Float] {
      let width = items.white.columnCount
      scatter(queries.words, query)
      defer { clear(queries.words, query) }
      return queries.white.withPointer { own in
        items.white.withPointer { base in
          near.map { item in
            settings.kernel(
              text: Float.dot(width, own + query * width, base + Int(item) * width),
              words: wordProduct(Int(item)))
          }
        }
      }
    }

    /// The kernel among items, with the penalty, in ``kernel``.
    private func fillKernel(_ near: [Int32]) {
      let (width, count) = (items.white.columnCount, near.count)
      items.white.withPointer { base in
        for (n, item) in near.enumerated() {
          (gathered.pointer + n * width).update(from: base + Int(item) * width, count: width)
        }
      }
      Float.gemm(
        transposeA: false, transposeB: true, m: count, n: count, k: width, alpha: 1,
        a: gathered.pointer, lda: width, b: gathered.pointer, ldb: width, beta: 0,
        c: products.pointer, ldc: count)
      for i in 0..<count {
        scatter(items.words, Int(near[i]))
        for j in 0...i {
          let value = settings.kernel(
            text: products.pointer[i * count + j], words: wordProduct(Int(near[j])))
          kernel.pointer[i * count + j] = value
          kernel.pointer[j * count + i] = value
        }
        clear(items.words, Int(near[i]))
        kernel.pointer[i * count + i] += settings.penalty
      }
    }

    private func scatter(_ words: SparseMatrix, _ row: Int) {
      words.withView { view in
        for n in view.range(row) { spread.pointer[Int(view.columns[n])] = view.values[n] }
      }
    }

    private func clear(_ words: SparseMatrix, _ row: Int) {
      words.withView { view in
        for n in view.range(row) { spread.pointer[Int(view.columns[n])] = 0 }
      }
    }

    private func wordProduct(_ item: Int) -> Float {
      items.words.withView { view in
        var sum: Float = 0
        for n in view.range(item) { sum += view.values[n] * spread.pointer[Int(view.columns[n])] }
        return sum
      }
    }
  }
}
