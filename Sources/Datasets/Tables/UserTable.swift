import Foundation

/// Users with their features; row i belongs to id i.
public struct UserTable: Sendable, Equatable {
  /// The users' ids.
  public let ids: IDTable
  /// The other columns, nil when there are none.
  public let features: FeatureTable?
  /// How many malformed rows were left out.
  public let badRowCount: Int

  /// Creates a table from its parts.
  public init(ids: IDTable, features: FeatureTable? = nil, badRowCount: Int = 0) {
    self.ids = ids
    self.features = features
    self.badRowCount = badRowCount
  }

  /// The number of users.
  public var count: Int { ids.count }

  /// Reads a users file: an id column and features in the other columns.
  ///
  /// - Throws: `DatasetError` for a malformed row, a missing id column, a missing or repeated id.
  public static func load(from url: URL, options: TableOptions = TableOptions()) throws -> UserTable
  {
    let (table, _) = try EntityTable.load(path: url.path, kind: .users, options: options)
    return UserTable(
      ids: table.ids, features: table.features, badRowCount: table.badRowCount)
  }
}
