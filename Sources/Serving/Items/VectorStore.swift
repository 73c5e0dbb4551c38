import Datasets
import Foundation
import Recommendation

/// Vectors of new items in the database, by what they were made from: a restart reads them in place of
/// computing them.
struct VectorStore {
  let storage: any StateStorage

  /// What vectors depend on: the version's files, and the item's text and columns.
  static func source(_ record: ItemRecord, of model: LoadedModel) -> UInt64 {
    var bytes = withUnsafeBytes(of: model.fingerprint.littleEndian) { Array($0) }
    bytes += Array(record.text.utf8) + [0] + record.featuresJSON.serialized()
    return portableHash(bytes)
  }

  /// The change that keeps an item's vectors.
  static func change(
    _ record: ItemRecord, _ vectors: OnlineItem, of model: LoadedModel
  ) -> StateChange {
    .keepVectors(id: record.id, source: source(record, of: model), bytes: vectors.bytes)
  }

  /// The kept vectors of items as they are now, by their places in `records`.
  ///
  /// - Throws: ``ServingError`` for a database that can't be read.
  func read(
    _ records: [ItemRecord], of model: LoadedModel, _ online: OnlineModel
  ) throws -> [Int: OnlineItem] {
    guard let first = records.first else { return [:] }
    let places = IDTable(records.map(\.id))
    let pattern = RankingService.represent([first], online)[0]
    var known: [Int: OnlineItem] = [:]
    try storage.forEachVectors { id, source, bytes in
      guard let place = places.index(of: id),
        source == VectorStore.source(records[place], of: model),
        let vectors = OnlineItem(bytes: bytes), vectors.fits(pattern, in: online)
      else { return }
      known[place] = vectors
    }
    return known
  }

  /// Keeps vectors, some hundred at a time.
  func keep(
    _ items: [(record: ItemRecord, vectors: OnlineItem)], of model: LoadedModel
  ) throws {
    for first in stride(from: 0, to: items.count, by: VectorStore.batch) {
      let part = items[first..<min(first + VectorStore.batch, items.count)]
      try storage.write(part.map { VectorStore.change($0.record, $0.vectors, of: model) })
    }
  }

  static let batch = 256
}
