import Datasets
import Synchronization

/// What users did since training, in memory: the items of each user's positive events.
final class UserEvents: Sendable {
  private struct State {
    var users = IDTable()
    var items = IDTable()
    /// Items of each user by their number, each once, oldest first.
    var rows: [[Int32]] = []
    /// Users of each item, also those who have dropped it since.
    var owners: [[Int32]] = []
    var forgotten: Set<UInt64> = []
    /// Whether a user has events, of whatever label.
    var isKnown: [Bool] = []
    var count = 0
    /// Users whose items changed since somebody last asked.
    var changed = IDTable()
  }

  /// Items of a user that are kept; the oldest go.
  static let limit = 1000

  private let state = Mutex(State())

  /// Takes in events of which `isPositive` says that they count.
  func add(_ events: [Event], isPositive: (Float) -> Bool) {
    state.withLock { state in
      for event in events {
        state.count += 1
        let user = state.users.insert(event.user)
        if user == state.rows.count {
          state.rows.append([])
          state.isKnown.append(true)
        }
        state.isKnown[user] = true
        guard isPositive(event.value) else { continue }
        let item = Int32(state.items.insert(event.item))
        if Int(item) == state.owners.count { state.owners.append([]) }
        if state.rows[user].contains(item) { continue }
        state.rows[user].append(item)
        state.owners[Int(item)].append(Int32(user))
        state.changed.insert(event.user)
        if state.rows[user].count > UserEvents.limit { state.rows[user].removeFirst() }
      }
    }
  }

  /// Ids of the items of a user's events, oldest first.
  func items(of user: String) -> [String] {
    state.withLock { state in
      guard let row = state.users.index(of: user) else { return [] }
      return state.rows[row].map { state.items[Int($0)] }
    }
  }

  /// Whether a user has events, if only such as say no.
  func isKnown(_ user: String) -> Bool {
    state.withLock { state in state.users.index(of: user).map { state.isKnown[$0] } ?? false }
  }

  /// Whether a user has positive events.
  func contains(_ user: String) -> Bool {
    state.withLock { state in
      state.users.index(of: user).map { !state.rows[$0].isEmpty } ?? false
    }
  }

  /// Drops a user's events, and what training knew.
  func forget(_ user: String) {
    let hash = portableHash(user)
    state.withLock { state in
      state.forgotten.insert(hash)
      state.changed.insert(user)
      if let row = state.users.index(of: user) {
        state.rows[row] = []
        state.isKnown[row] = false
      }
    }
  }

  /// Marks users as forgotten, by their hashes.
  func markForgotten(_ hashes: [UInt64]) {
    state.withLock { $0.forgotten.formUnion(hashes) }
  }

  /// Whether what training knew of a user may not be used.
  func isForgotten(_ user: String) -> Bool {
    let hash = portableHash(user)
    return state.withLock { $0.forgotten.contains(hash) }
  }

  /// The users whose items changed since this was last asked.
  func takeChanged() -> [String] {
    state.withLock { state in
      let users = state.changed.strings
      state.changed = IDTable()
      return users
    }
  }

  /// Marks users who have an item: it came, or its vectors changed, after their events.
  func markChanged(havingItem id: String) {
    state.withLock { state in
      guard let item = state.items.index(of: id) else { return }
      for user in state.owners[item] where state.rows[Int(user)].contains(Int32(item)) {
        state.changed.insert(state.users[Int(user)])
      }
    }
  }

  /// Events taken in since the server knows of them.
  var count: Int { state.withLock { $0.count } }

  /// Users with events, in the order in which they came.
  func users() -> [String] {
    state.withLock { state in
      state.rows.indices.filter { !state.rows[$0].isEmpty }.map { state.users[$0] }
    }
  }
}
