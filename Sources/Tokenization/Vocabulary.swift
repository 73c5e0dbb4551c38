/// The names of the five tokens that BERT treats specially.
public struct SpecialTokens: Sendable, Equatable {
  /// Fills short sequences.
  public var padding: String
  /// Stands for words that the vocabulary can't spell.
  public var unknown: String
  /// Begins each sequence.
  public var `class`: String
  /// Ends each sequence.
  public var separator: String
  /// Hides a token in masked-language modelling.
  public var mask: String

  /// Creates the names; the defaults are BERT's.
  public init(
    padding: String = "[PAD]", unknown: String = "[UNK]", class: String = "[CLS]",
    separator: String = "[SEP]", mask: String = "[MASK]"
  ) {
    self.padding = padding
    self.unknown = unknown
    self.class = `class`
    self.separator = separator
    self.mask = mask
  }

  /// The names in BERT's order: padding, unknown, class, separator, mask.
  public var all: [String] { [padding, unknown, `class`, separator, mask] }
}

/// A WordPiece vocabulary: tokens numbered from 0, `##` before those that continue a word.
///
/// Tokens are compared as bytes. Two spellings that Unicode calls equivalent are two tokens.
public struct Vocabulary: Sendable, Equatable {
  let table: TokenTable
  /// Tokens from this id on are added ones: matched in raw text, never made by WordPiece.
  let pieceCount: Int
  private let kinds: [UInt8]
  private static let continuationBit: UInt8 = 1
  private static let specialBit: UInt8 = 2

  /// The names of the special tokens.
  public let specialTokens: SpecialTokens
  /// The id of [PAD].
  public let paddingID: Int32
  /// The id of [UNK].
  public let unknownID: Int32
  /// The id of [CLS].
  public let classID: Int32
  /// The id of [SEP].
  public let separatorID: Int32
  /// The id of [MASK].
  public let maskID: Int32

  /// Creates a vocabulary whose ids are the positions in `tokens`.
  ///
  /// Throws `TokenizationError.repeatedPiece` and `.missingSpecialToken`.
  public init(tokens: [String], specialTokens: SpecialTokens = SpecialTokens()) throws {
    var table = TokenTable(expecting: tokens.count)
    for (position, token) in tokens.enumerated() {
      let (inserted, first) = table.insert(token)
      guard inserted else {
        throw TokenizationError.repeatedPiece(
          piece: token, place: "token \(position)", first: "token \(first)")
      }
    }
    try self.init(table: table, specialTokens: specialTokens, place: "list of tokens")
  }

  /// Creates a vocabulary from a table; `place` names its source in errors.
  ///
  /// `added` are ids that are special beside the five.
  init(
    table: TokenTable, pieceCount: Int? = nil, specialTokens: SpecialTokens, added: [Int] = [],
    place: String
  ) throws {
    func required(_ token: String) throws -> Int32 {
      guard let index = table.index(of: token) else {
        throw TokenizationError.missingSpecialToken(token: token, place: place)
      }
      return Int32(index)
    }
    // Tree nodes are numbered with 24 bits, one a byte at most.
    guard table.byteCount < 1 << 24 else {
      throw TokenizationError.malformed(
        place: place, what: "vocabulary of \(table.byteCount) bytes is larger than 16 MB")
    }
    self.table = table
    self.pieceCount = pieceCount ?? table.count
    self.specialTokens = specialTokens
    paddingID = try required(specialTokens.padding)
    unknownID = try required(specialTokens.unknown)
    classID = try required(specialTokens.class)
    separatorID = try required(specialTokens.separator)
    maskID = try required(specialTokens.mask)
    var kinds = (0..<table.count).map { index in
      table.withBytes(index) {
        $0.count >= 2 && $0[0] == 0x23 && $0[1] == 0x23 ? Vocabulary.continuationBit : 0
      }
    }
    for id in [paddingID, unknownID, classID, separatorID, maskID] {
      kinds[Int(id)] |= Vocabulary.specialBit
    }
    for id in added { kinds[id] |= Vocabulary.specialBit }
    self.kinds = kinds
  }

  /// The number of tokens.
  public var count: Int { table.count }

  /// The id of a token, compared byte by byte; nil when the vocabulary doesn't have it.
  public func id(of token: String) -> Int32? {
    table.index(of: token).map { Int32($0) }
  }

  /// The token of an id in `0..<count`.
  public func token(_ id: Int32) -> String {
    precondition(contains(id), "id \(id) is outside a vocabulary of \(count) tokens")
    return table.string(Int(id))
  }

  /// Calls `body` with the bytes of an id's token, without making a string of them.
  package func withUTF8<R>(of id: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    table.withBytes(Int(id), body)
  }

  /// Whether an id belongs to the vocabulary.
  public func contains(_ id: Int32) -> Bool {
    id >= 0 && Int(id) < count
  }

  /// Whether the token of an id in `0..<count` starts with `##`, so continues a word.
  public func isContinuation(_ id: Int32) -> Bool {
    kinds[Int(id)] & Vocabulary.continuationBit != 0
  }

  /// Whether an id in `0..<count` is one of the five special tokens or was added as special.
  public func isSpecial(_ id: Int32) -> Bool {
    kinds[Int(id)] & Vocabulary.specialBit != 0
  }

  /// Two vocabularies are equal when they have the same tokens, byte by byte, in the same order.
  public static func == (a: Vocabulary, b: Vocabulary) -> Bool {
    a.count == b.count && a.pieceCount == b.pieceCount && a.kinds == b.kinds
      && a.specialTokens == b.specialTokens
      && (0..<a.count).allSatisfy { index in
        a.table.withBytes(index) { left in
          b.table.withBytes(index) { right in left.elementsEqual(right) }
        }
      }
  }
}
