/// How a table of items, users or behaviours is read.
///
/// nil and empty values mean: find it by name.
public struct TableOptions: Sendable {
  /// Commas or tabs; nil tells by the file's name or first line.
  public var format: DelimitedFormat?
  /// The names of a behaviours file's columns when it has no header (`--columns`).
  public var columns: [String] = []
  /// The user column (`--user-column`).
  public var userColumn: String?
  /// The item column (`--item-column`).
  public var itemColumn: String?
  /// The label column (`--label-column`).
  public var labelColumn: String?
  /// The time column (`--timestamp-column`).
  public var timestampColumn: String?
  /// The columns that make an item's text (`--text-column`, several are joined).
  public var textColumns: [String] = []
  /// Counts malformed rows instead of stopping at the first (`--skip-bad-rows`).
  public var skipBadRows = false
  /// Takes every row for a positive, whatever its label says (`--implicit`).
  public var isImplicit = false
  /// Is told, in words, which layout and columns a file was found to have.
  public var notice: (@Sendable (String) -> Void)?
  /// What happens to behaviours whose item is not in the item table.
  public var unknownItems = UnknownItems.drop

  /// What happens to behaviours whose item is not in the item table.
  public enum UnknownItems: Sendable {
    /// They are left out and counted.
    case drop
    /// The first one is an error.
    case reject
  }

  /// Creates the options that find everything by name.
  public init() {}
}
