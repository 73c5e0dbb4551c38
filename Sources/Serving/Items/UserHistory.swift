import Recommendation

/// A user's items as places of a catalogue, the oldest known first, those of training before events.
struct UserHistory: Sendable {
  var places: [Int32]
  var features: [Float]?

  /// The history as scoring takes it.
  func online(in catalogue: Catalogue) -> OnlineHistory {
    let trained = catalogue.trainedCount
    return OnlineHistory(
      items: places.filter { Int($0) < trained },
      // In the order of the catalogue: only the last 200 of a history count, whoever asks.
      newItems: places.filter { Int($0) >= trained }.sorted().map { catalogue.vectors($0) },
      features: features)
  }
}
