public import Kernels

/// The most similar candidates of each of a list of queries, by cosine, most similar first.
///
/// Only positive similarities count, and an item is never its own neighbour; equal similarities go to
/// the candidate listed first. Searches are exact.
public struct Neighbours: Sendable, Equatable {
  /// The lists: one a query, of candidate items (as named by `candidates`) with their cosines.
  public let lists: RankedLists

  init(_ lists: RankedLists) { self.lists = lists }

  /// Neighbours among catalogue items in a dense space.
  ///
  /// - Parameters:
  ///   - vectors: A row an item of the catalogue; of any length, cosines are taken.
  ///   - queries: The items whose neighbours are looked for.
  ///   - candidates: The items that may be neighbours, ascending.
  ///   - k: How many; `candidates.count - 1` at most.
  public static func find(
    _ vectors: DenseMatrix, queries: [Int32], candidates: [Int32], k: Int, workers: Workers
  ) -> Neighbours {
    let unit = vectors.normalizingRows()
    return find(
      queries: unit.selectingRows(queries), candidates: unit.selectingRows(candidates), k: k,
      own: ownEntries(queries, candidates), names: candidates, workers: workers)
  }

  /// Neighbours of new texts' vectors among catalogue items in the same dense space.
  ///
  /// - Parameters:
  ///   - queries: A row a new text.
  ///   - vectors: A row an item of the catalogue.
  ///   - candidates: The items that may be neighbours, ascending.
  public static func find(
    newVectors queries: DenseMatrix, in vectors: DenseMatrix, candidates: [Int32], k: Int,
    workers: Workers
  ) -> Neighbours {
    find(
      queries: queries.normalizingRows(),
      candidates: vectors.selectingRows(candidates).normalizingRows(), k: k, own: nil,
      names: candidates, workers: workers)
  }

  private static func find(
    queries: DenseMatrix, candidates: DenseMatrix, k: Int, own: SparseMatrix?, names: [Int32],
    workers: Workers
  ) -> Neighbours {
    let limit = max(min(k, names.count - (own == nil ? 0 : 1)), 0)
    var lists = TopK.rankProducts(
      users: queries, items: candidates, k: limit, excluding: own, workers: workers)
    lists.dropNonPositive(names: names)
    return Neighbours(lists)
  }

  /// Neighbours among catalogue items by sparse vectors, by an inverted index.
  ///
  /// Parameters as for dense vectors.
  public static func find(
    _ vectors: SparseMatrix, queries: [Int32], candidates: [Int32], k: Int, workers: Workers
  ) -> Neighbours {
    let unit = vectors.normalizingRows()
    return find(
      queries: unit.selectingRows(queries), candidates: unit.selectingRows(candidates), k: k,
      own: ownEntries(queries, candidates), names: candidates, workers: workers)
  }

  /// Neighbours of new texts' sparse vectors among catalogue items.
  public static func find(
    newVectors queries: SparseMatrix, in vectors: SparseMatrix, candidates: [Int32], k: Int,
    workers: Workers
  ) -> Neighbours {
    find(
      queries: queries.normalizingRows(),
      candidates: vectors.selectingRows(candidates).normalizingRows(), k: k, own: nil,
      names: candidates, workers: workers)
  }

  private static func find(
    queries: SparseMatrix, candidates: SparseMatrix, k: Int, own: SparseMatrix?, names: [Int32],
    workers: Workers
  ) -> Neighbours {
    let limit = max(min(k, names.count - (own == nil ? 0 : 1)), 0)
    let index = ItemProducts(candidates)
    var lists = TopK.rank(
      index, histories: queries, k: limit, excluding: own, workers: workers)
    lists.dropNonPositive(names: names)
    return Neighbours(lists)
  }

  /// The first `k` of each list.
  func nearest(_ k: Int) -> Neighbours { Neighbours(lists.prefix(k)) }

  /// A (queries, candidates) matrix that marks where a query is the candidate itself.
  private static func ownEntries(_ queries: [Int32], _ candidates: [Int32]) -> SparseMatrix {
    var offsets = [0]
    var columns: [Int32] = []
    for query in queries {
      var low = 0
      var high = candidates.count
      while low < high {
        let middle = (low + high) / 2
        if candidates[middle] < query { low = middle + 1 } else { high = middle }
      }
      if low < candidates.count, candidates[low] == query { columns.append(Int32(low)) }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: queries.count, columnCount: candidates.count, offsets: offsets,
      columns: columns, values: [Float](repeating: 1, count: columns.count))
  }

  /// The neighbours as a (queries, items) matrix of cosines.
  ///
  /// - Parameters:
  ///   - itemCount: The number of items of the catalogue.
  ///   - normalized: Whether each row is divided by its sum, or by 1e-9 where that is larger.
  public func matrix(itemCount: Int, normalized: Bool = false) -> SparseMatrix {
    var offsets = [0]
    var columns: [Int32] = []
    var values: [Float] = []
    for row in 0..<lists.rowCount {
      let entries = lists[row].sorted { $0.item < $1.item }
      let sum = entries.reduce(Float(0)) { $0 + $1.score }
      let scale = normalized ? 1 / max(sum, 1e-9) : 1
      for entry in entries {
        columns.append(entry.item)
        values.append(entry.score * scale)
      }
      offsets.append(columns.count)
    }
    return SparseMatrix(
      trustedRowCount: lists.rowCount, columnCount: itemCount, offsets: offsets,
      columns: columns, values: values)
  }
}
