/// Where items, events and the like are kept so that they outlive the process.
protocol StateStorage: Sendable {
  /// Writes everything or nothing, and returns once it is kept.
  func write(_ changes: [StateChange]) throws
  /// All items, by id.
  func items() throws -> [ItemRecord]
  /// What was kept with ``StateChange/keepVectors(id:source:bytes:)`` of all items, by id.
  func forEachVectors(_ body: (_ id: String, _ source: UInt64, _ bytes: [UInt8]) -> Void) throws
  /// Ids of removed or of blocked items.
  func ids(removed: Bool) throws -> [String]
  /// Hashes of the users that were forgotten.
  func forgotten() throws -> [UInt64]
  /// Goes through all events in the order in which they came.
  func forEachEvent(_ body: (Event) throws -> Void) throws
  /// Lets another process have it; nothing is read or written any more.
  func close()
}

/// Keeps nothing: what comes in lives in memory until the server ends.
struct NoStorage: StateStorage {
  func write(_ changes: [StateChange]) {}
  func items() -> [ItemRecord] { [] }
  func forEachVectors(_ body: (_ id: String, _ source: UInt64, _ bytes: [UInt8]) -> Void) {}
  func ids(removed: Bool) -> [String] { [] }
  func forgotten() -> [UInt64] { [] }
  func forEachEvent(_ body: (Event) throws -> Void) {}
  func close() {}
}

/// One change of what is stored.
enum StateChange: Sendable {
  /// Events, in the order in which they came.
  case events([Event])
  /// A new item, or a new text and new features of one.
  case putItem(ItemRecord)
  /// An item's vectors, so that a restart needn't compute them; `source` says from what they were made.
  case keepVectors(id: String, source: UInt64, bytes: [UInt8])
  /// An item is no longer recommended, one of training neither.
  case removeItem(String)
  /// An item is not recommended until it is unblocked.
  case block(String)
  case unblock(String)
  /// A user's events go, and what training knew of the user isn't used any more.
  case forget(user: String, hash: UInt64)
}
