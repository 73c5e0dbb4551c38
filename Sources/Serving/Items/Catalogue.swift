import Datasets
import Foundation
import Recommendation
import Synchronization

/// All items that can be recommended at one moment: those of training and those that came since.
///
/// A value that never changes: a request works on one from beginning to end.
final class Catalogue: Sendable {
  /// An item that came after training.
  struct NewItem: Sendable {
    var record: ItemRecord
    let vectors: OnlineItem
  }

  let model: LoadedModel
  let online: OnlineModel
  /// Items that came after training, by id; their places follow those of training.
  let newItems: ChunkedList<NewItem>
  private let newIDs: IDTable
  let block: OnlineBlock
  /// Later texts and features of training's items, by place.
  let overrides: [Int32: ItemRecord]
  /// Ids of removed and of blocked items, also of those that don't exist (yet).
  let removed: IDSet
  let blocked: IDSet
  /// For each place whether it may be recommended, expiry apart.
  private let isListed: [Bool]
  private let expiries: [(place: Int32, time: Double)]
  private let filters = Mutex<[FilterKey: [Bool]]>([:])
  /// The recommender that reasons were last made with, and the later items in it.
  let explained = Mutex<(items: [Int32], recommender: Recommender)?>(nil)

  private struct FilterKey: Hashable {
    let candidates: String
    let conditions: [[UInt8]]
  }

  /// Which items a list may have.
  enum Candidates: String, CaseIterable {
    case all, warm, cold
  }

  init(
    model: LoadedModel, online: OnlineModel, newItems: [NewItem], overrides: [Int32: ItemRecord],
    removed: IDSet, blocked: IDSet
  ) {
    self.model = model
    self.online = online
    self.newItems = ChunkedList(newItems)
    self.overrides = overrides
    self.removed = removed
    self.blocked = blocked
    newIDs = IDTable(newItems.map(\.record.id))
    block = OnlineBlock(newItems.map(\.vectors))
    let trained = online.recommender.items.ids
    var isListed = [Bool](repeating: true, count: trained.count + newItems.count)
    for id in removed.ids + blocked.ids {
      if let place = trained.index(of: id) ?? newIDs.index(of: id).map({ trained.count + $0 }) {
        isListed[place] = false
      }
    }
    self.isListed = isListed
    var expiries: [(place: Int32, time: Double)] = []
    for (place, record) in overrides {
      if let time = record.expiresAt { expiries.append((place, time)) }
    }
    for (place, item) in newItems.enumerated() {
      if let time = item.record.expiresAt { expiries.append((Int32(trained.count + place), time)) }
    }
    self.expiries = expiries
  }

  /// What changes make of a catalogue; all that doesn't change is shared with it.
  private struct Draft {
    let trained: IDTable
    var newItems: ChunkedList<NewItem>
    var newIDs: IDTable
    var overrides: [Int32: ItemRecord]
    var removed: IDSet
    var blocked: IDSet
    var isListed: [Bool]
    var expiries: [(place: Int32, time: Double)]
    /// New vectors by place among the new items.
    var vectors: [Int: OnlineItem] = [:]

    init(_ old: Catalogue) {
      trained = old.online.recommender.items.ids
      (newItems, newIDs, overrides) = (old.newItems, old.newIDs, old.overrides)
      (removed, blocked) = (old.removed, old.blocked)
      (isListed, expiries) = (old.isListed, old.expiries)
    }

    mutating func put(_ record: ItemRecord, _ own: OnlineItem?) {
      removed.remove(record.id)
      if let place = trained.index(of: record.id) {
        overrides[Int32(place)] = record
        expire(place, at: record.expiresAt)
      } else if let own {
        let place = newIDs.insert(record.id)
        let item = NewItem(record: record, vectors: own)
        if place == newItems.count {
          newItems.append(item)
          isListed.append(true)
        } else {
          newItems[place] = item
        }
        vectors[place] = own
        expire(trained.count + place, at: record.expiresAt)
      }
      list(record.id)
    }

    /// A removed item keeps its place, so that places mean the same for all catalogues of a version.
    mutating func remove(_ id: String) {
      removed.insert(id)
      if let place = trained.index(of: id) {
        overrides[Int32(place)] = nil
        expire(place, at: nil)
      }
      list(id)
    }

    private mutating func expire(_ place: Int, at time: Double?) {
      if !expiries.isEmpty { expiries.removeAll { $0.place == place } }
      if let time { expiries.append((Int32(place), time)) }
    }

    /// Notes whether an id may be recommended.
    mutating func list(_ id: String) {
      let place = trained.index(of: id) ?? newIDs.index(of: id).map { trained.count + $0 }
      guard let place else { return }
      isListed[place] = !removed.contains(id) && !blocked.contains(id)
    }
  }

  private init(_ old: Catalogue, _ draft: Draft) {
    (model, online) = (old.model, old.online)
    (newItems, newIDs, overrides) = (draft.newItems, draft.newIDs, draft.overrides)
    (removed, blocked) = (draft.removed, draft.blocked)
    (isListed, expiries) = (draft.isListed, draft.expiries)
    block = old.block.changing(
      draft.vectors.sorted { $0.key < $1.key }.map { (place: $0.key, item: $0.value) })
  }

  /// The number of items, removed ones too.
  var count: Int { isListed.count }

  /// Items of training.
  var trainedCount: Int { online.itemCount }

  /// The place of an id; nil for one that was never there.
  func place(of id: String) -> Int32? {
    let trained = online.recommender.items.ids
    if let place = trained.index(of: id) { return Int32(place) }
    return newIDs.index(of: id).map { Int32(trained.count + $0) }
  }

  /// The place of an item that is there and not removed.
  ///
  /// - Throws: ``APIError``.
  func existing(_ id: String) throws -> Int32 {
    guard let place = place(of: id), !removed.contains(id) else {
      throw APIError.notFound("there is no item of that id")
    }
    return place
  }

  func id(_ place: Int32) -> String {
    let trained = online.recommender.items.ids
    return Int(place) < trained.count
      ? trained[Int(place)] : newItems[Int(place) - trained.count].record.id
  }

  /// An item as it is shown and filtered by.
  func record(_ place: Int32) -> ItemRecord {
    if Int(place) >= trainedCount { return newItems[Int(place) - trainedCount].record }
    if let override = overrides[place] { return override }
    let items = online.recommender.items
    return ItemRecord(
      id: items.ids[Int(place)], text: items.texts[Int(place)],
      features: (items.features?.columns ?? []).map {
        .init(name: $0.name, value: $0.values[Int(place)])
      }, expiresAt: nil)
  }

  func text(_ place: Int32) -> String {
    if Int(place) >= trainedCount { return newItems[Int(place) - trainedCount].record.text }
    return overrides[place]?.text ?? online.recommender.items.texts[Int(place)]
  }

  /// Whether an item has behaviours in training.
  func isWarm(_ place: Int32) -> Bool {
    Int(place) < trainedCount && online.recommender.space.counts[Int(place)] > 0
  }

  /// The tower's vector of an item.
  func vector(_ place: Int32) -> [Float] {
    Int(place) < trainedCount
      ? Array(online.towerVector(Int(place))) : newItems[Int(place) - trainedCount].vectors.tower
  }

  /// The vectors of an item that came after training.
  func vectors(_ place: Int32) -> OnlineItem { block[Int(place) - trainedCount] }

  // MARK: What may be listed

  /// For each place whether a list may have it; nil allows all.
  ///
  /// - Parameter conditions: `COLUMN=VALUE`, all of which an item must meet; a value may be one of
  ///   several that `|` separates.
  /// - Throws: ``APIError`` for a condition without `=` and for a column that no item has.
  func allowed(
    _ candidates: Candidates, conditions: [String], now: Double
  ) throws -> [Bool]? {
    var mask = isListed
    var isFree = removed.isEmpty && blocked.isEmpty && candidates == .all && conditions.isEmpty
    if candidates != .all || !conditions.isEmpty {
      let own = try filtered(candidates, conditions)
      for place in mask.indices where !own[place] { mask[place] = false }
    }
    for (place, time) in expiries where time <= now {
      mask[Int(place)] = false
      isFree = false
    }
    return isFree ? nil : mask
  }

  private func filtered(_ candidates: Candidates, _ conditions: [String]) throws -> [Bool] {
    let key = FilterKey(
      candidates: candidates.rawValue, conditions: conditions.map { Array($0.utf8) })
    if let known = filters.withLock({ $0[key] }) { return known }
    var mask = [Bool](repeating: true, count: count)
    if candidates != .all {
      for place in mask.indices { mask[place] = isWarm(Int32(place)) == (candidates == .warm) }
    }
    for condition in conditions { try apply(condition, to: &mask) }
    let made = mask
    filters.withLock { known in
      // A few filters are asked for again and again; the rest must not fill the memory.
      if known.count >= 64 { known.removeAll() }
      known[key] = made
    }
    return made
  }

  private func apply(_ condition: String, to mask: inout [Bool]) throws {
    let halves = condition.utf8.split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else {
      throw APIError.validation("`where` must be COLUMN=VALUE", field: "where")
    }
    let (name, value) = (String(Substring(halves[0])), Array(halves[1]))
    let column = online.recommender.items.features?.column(named: name)
    let isKnown =
      column != nil || newItems.contains { $0.record.feature(name) != nil }
      || overrides.values.contains { $0.feature(name) != nil }
    guard isKnown else {
      throw APIError.validation("`where`: no item has that column", field: "where")
    }
    for place in 0..<count where mask[place] {
      let own: String? =
        if place >= trainedCount {
          newItems[place - trainedCount].record.feature(name)
        } else if let override = overrides[Int32(place)] {
          override.feature(name)
        } else {
          column?.values[place]
        }
      mask[place] = own.map { Catalogue.matches($0, value) } ?? false
    }
  }

  /// Whether a column's value, or one of those that `|` separates, is the wanted one.
  static func matches(_ whole: String, _ value: [UInt8]) -> Bool {
    whole.utf8.elementsEqual(value)
      || whole.utf8.split(separator: UInt8(ascii: "|")).contains { $0.elementsEqual(value) }
  }

  // MARK: Changes

  /// An id that no client can give: it has a control character.
  static let momentaryID = "\u{1}"

  /// The catalogue after some changes, in their order.
  ///
  /// - Parameter vectors: of the items that are put and aren't training's, in the order of the changes.
  func applying(_ changes: [(change: StateChange, vectors: OnlineItem?)]) -> Catalogue {
    var draft = Draft(self)
    for (change, vectors) in changes {
      switch change {
      case .putItem(let record): draft.put(record, vectors)
      case .removeItem(let id): draft.remove(id)
      case .block(let id):
        draft.blocked.insert(id)
        draft.list(id)
      case .unblock(let id):
        draft.blocked.remove(id)
        draft.list(id)
      case .events, .forget, .keepVectors: continue
      }
    }
    return Catalogue(self, draft)
  }
}

/// A set of ids, compared as bytes.
struct IDSet: Sendable {
  private var table = IDTable()
  private var isIn: [Bool] = []

  init(_ ids: [String] = []) { for id in ids { insert(id) } }

  var isEmpty: Bool { !isIn.contains(true) }

  /// The ids in the order in which they first came.
  var ids: [String] { isIn.indices.filter { isIn[$0] }.map { table[$0] } }

  func contains(_ id: String) -> Bool { table.index(of: id).map { isIn[$0] } ?? false }

  mutating func insert(_ id: String) {
    let place = table.insert(id)
    if place == isIn.count { isIn.append(true) } else { isIn[place] = true }
  }

  mutating func remove(_ id: String) {
    if let place = table.index(of: id) { isIn[place] = false }
  }
}
