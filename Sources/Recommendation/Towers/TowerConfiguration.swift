/// The sizes of the two towers.
public struct TowerConfiguration: Sendable, Codable, Equatable {
  /// Width of an item's input: text vectors and features, one after the other.
  public var itemInputs: Int
  /// Width of a user's feature row; 0 without user features.
  public var userInputs: Int
  /// Width of the item tower's hidden layer.
  public var hidden: Int
  /// Width of the vectors that both towers give.
  public var width: Int
  /// Rows of the table of history embeddings, one a catalogue item; 0 leaves it out.
  public var historyItems: Int

  /// Creates a configuration.
  public init(
    itemInputs: Int, userInputs: Int = 0, hidden: Int = 256, width: Int = 128,
    historyItems: Int = 0
  ) {
    self.itemInputs = itemInputs
    self.userInputs = userInputs
    self.hidden = hidden
    self.width = width
    self.historyItems = historyItems
  }
}
