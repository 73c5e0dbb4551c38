import Synchronization

/// Keeps the vectors of texts that were asked for lately, by their token ids.
///
/// When it is full, the entry that came first goes unless it was used since (second chance).
final class EmbeddingCache: Sendable {
  /// What a vector was computed from.
  struct Key: Hashable, Sendable {
    let output: EmbeddingOutput
    let ids: [Int32]
  }

  private struct State {
    var places: [Key: Int] = [:]
    var keys: [Key] = []
    var vectors: [[Float]] = []
    var wasUsed: [Bool] = []
    var hand = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) { self.capacity = capacity }

  subscript(key: Key) -> [Float]? {
    guard capacity > 0 else { return nil }
    return state.withLock { state in
      guard let place = state.places[key] else { return nil }
      state.wasUsed[place] = true
      return state.vectors[place]
    }
  }

  /// Remembers a vector.
  func insert(_ vector: [Float], for key: Key) {
    guard capacity > 0 else { return }
    state.withLock { state in
      guard state.places[key] == nil else { return }
      if state.keys.count < capacity {
        state.places[key] = state.keys.count
        state.keys.append(key)
        state.vectors.append(vector)
        state.wasUsed.append(false)
        return
      }
      while state.wasUsed[state.hand] {
        state.wasUsed[state.hand] = false
        state.hand = (state.hand + 1) % capacity
      }
      state.places[state.keys[state.hand]] = nil
      state.places[key] = state.hand
      state.keys[state.hand] = key
      state.vectors[state.hand] = vector
      state.hand = (state.hand + 1) % capacity
    }
  }

  /// Vectors that are kept now.
  var count: Int { state.withLock { $0.keys.count } }
}
