public import Datasets
import Foundation

/// What an update did, as `update.json` of a version has it and as `encoder update` prints it.
public struct UpdateReport: Sendable, Codable, Equatable {
  /// One step of an update with its judgement on held-out behaviours.
  public struct Stage: Sendable, Codable, Equatable {
    /// `collaborative`, `towers` or `adapters`.
    public let name: String
    /// NDCG@20 before and after the step, on the users that steps are chosen by.
    public let before: Double
    /// See ``before``.
    public let after: Double
    /// Whether the step became part of the version.
    public let kept: Bool
  }

  /// The version's name; nil where nothing was written.
  public var version: String?
  /// The version it was made from.
  public var parent: String?
  /// Seconds since 1970.
  public var created: Double?
  /// Rows that were given, positive or not.
  public var rows = 0
  /// Rows on items that the model doesn't have.
  public var unknownItemRows = 0
  /// Positive behaviours that the model didn't have.
  public var newPositives = 0
  /// Users that the model didn't have.
  public var newUsers = 0
  /// Items that the model didn't have.
  public var newItems = 0
  /// Items that the model had with another text or other columns; nil in reports from before they counted.
  public var changedItems: Int? = 0
  /// New positives that the judgement was held on, the newest ones.
  public var heldOut = 0
  /// Users that steps were chosen by, and users of the final judgement.
  public var choosingUsers = 0
  /// See ``choosingUsers``.
  public var judgingUsers = 0
  /// The steps.
  public var stages: [Stage] = []
  /// NDCG@20 of the version in use on the judging users' held-out behaviours, given the same histories.
  public var currentNDCG: Double?
  /// The same of the updated model, before it took in the held-out behaviours too.
  public var updatedNDCG: Double?
  /// Standard error of the difference of the two.
  public var standardError: Double?
  /// Whether the updated model isn't worse, or was forced.
  public var isAccepted = false

  enum CodingKeys: String, CodingKey {
    case version, parent, created, rows, stages
    case unknownItemRows = "unknown_item_rows"
    case newPositives = "new_positives"
    case newUsers = "new_users"
    case newItems = "new_items"
    case changedItems = "changed_items"
    case heldOut = "held_out"
    case choosingUsers = "choosing_users"
    case judgingUsers = "judging_users"
    case currentNDCG = "current_ndcg20"
    case updatedNDCG = "updated_ndcg20"
    case standardError = "standard_error"
    case isAccepted = "accepted"
  }

  /// Creates an empty report.
  public init() {}

  static let fileName = "update.json"
  static let decoder = JSONDecoder()

  /// The report as one line of JSON.
  ///
  /// - Throws: `EncodingError` for a number that isn't finite.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}

/// What an update learns from.
public struct UpdateInput: Sendable {
  /// Behaviours since the version in use was made; ids decide, numbers may be any table's.
  public var behaviors: Behaviors
  /// Items that the model may not have yet, or had with another text or other columns; the others are
  /// passed over.
  public var items: ItemTable?

  /// Creates an input.
  public init(behaviors: Behaviors, items: ItemTable? = nil) {
    self.behaviors = behaviors
    self.items = items
  }
}

/// How an update is made.
public struct UpdateOptions: Sendable {
  /// Share of the new positives, the newest, that the judgement is held on.
  public var heldShare = 0.1
  /// Passes of the towers over new behaviours and replayed ones; 0 leaves the towers as they are.
  public var epochs = 2
  /// Old behaviours that are replayed, for each new one.
  public var replay = 1.0
  /// The learning rates of fine-tuning are multiplied by this.
  public var rateFactor = 0.3
  /// Steps of adapter training at most; 0 leaves the adapters as they are.
  public var adapterSteps = 60
  /// Standard errors of the paired difference by which mean NDCG@20 may be lower before an updated model,
  /// or its collaborative part, counts as worse.
  ///
  /// Of two equally good models the newer one knows more; training must not lower the mean at all.
  public var tolerance = 1.0
  /// Fewer users with held-out behaviours can't judge.
  public var minimumUsers = 10
  /// Whether the updated model is taken even when it is worse, or can't be judged.
  public var isForced = false
  /// Seed of everything random.
  public var seed: UInt64 = 42

  /// Creates the defaults.
  public init() {}
}
