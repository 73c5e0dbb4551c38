/// What a table is about, which decides between layouts that look alike.
public enum TableKind: String, Sendable {
  /// Who did what with which item.
  case behaviors
  /// Items with their texts and features.
  case items
  /// Users with their features.
  case users
}
