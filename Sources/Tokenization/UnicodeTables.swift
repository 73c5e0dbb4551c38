/// What BERT's normaliser and splitter need to know of a code point.
///
/// The answers are the reference library's own (`UnicodeTableData`), which are older than those of
/// a current Unicode library.
struct CodePointFlags: OptionSet, Sendable {
  let rawValue: UInt16

  /// Cleaning removes it (control characters, U+FFFD).
  static let dropped = CodePointFlags(rawValue: 1 << 0)
  /// Cleaning turns it into a space.
  static let space = CodePointFlags(rawValue: 1 << 1)
  /// A CJK ideograph, a word of its own.
  static let ideograph = CodePointFlags(rawValue: 1 << 2)
  /// A nonspacing mark, which accent stripping removes.
  static let mark = CodePointFlags(rawValue: 1 << 3)
  /// Has a canonical decomposition.
  static let decomposes = CodePointFlags(rawValue: 1 << 4)
  /// Separates words and is removed.
  static let whitespace = CodePointFlags(rawValue: 1 << 5)
  /// A word of its own.
  static let punctuation = CodePointFlags(rawValue: 1 << 6)
  /// Its lowercase is another code point.
  static let lowers = CodePointFlags(rawValue: 1 << 7)
  /// Has a combining class, so canonical ordering may move it.
  static let reorders = CodePointFlags(rawValue: 1 << 8)
}

/// The expanded tables: two array reads give the flags of a code point.
final class UnicodeTables: @unchecked Sendable {
  // Unchecked: filled by init, only read afterwards.
  static let shared = UnicodeTables()

  private let pages: UnsafeMutablePointer<UInt16>
  private let blocks: UnsafeMutablePointer<UInt16>
  private let cased: [UInt32]
  private let lowered: [UInt32]

  private static let pageCount = 0x110000 >> 8

  private init() {
    let runs = UnicodeTables.numbers(UnicodeTableData.runs)
    pages = .allocate(capacity: UnicodeTables.pageCount)
    // Pages of one run share a block for each value; a page where runs meet has its own.
    var storage: [UInt16] = []
    var uniform: [UInt16: UInt16] = [:]
    var run = 0
    var runStart = 0
    for page in 0..<UnicodeTables.pageCount {
      let first = page << 8
      while run + 2 < runs.count, runStart + Int(runs[run + 2]) <= first {
        runStart += Int(runs[run + 2])
        run += 2
      }
      let value = UInt16(truncatingIfNeeded: runs[run + 1])
      let next = run + 2 < runs.count ? runStart + Int(runs[run + 2]) : 0x110000
      if next >= first + 256, let block = uniform[value] {
        pages[page] = block
        continue
      }
      let block = UInt16(storage.count >> 8)
      if next >= first + 256 { uniform[value] = block }
      pages[page] = block
      for code in first..<(first + 256) {
        while run + 2 < runs.count, runStart + Int(runs[run + 2]) <= code {
          runStart += Int(runs[run + 2])
          run += 2
        }
        storage.append(UInt16(truncatingIfNeeded: runs[run + 1]))
      }
    }
    blocks = .allocate(capacity: storage.count)
    blocks.initialize(from: storage, count: storage.count)

    let changes = UnicodeTables.numbers(UnicodeTableData.lowercase)
    var from: [UInt32] = []
    var to: [UInt32] = []
    var code: UInt32 = 0
    for pair in stride(from: 0, to: changes.count - 1, by: 2) {
      code &+= changes[pair]
      let distance = changes[pair + 1] >> 1
      from.append(code)
      to.append(changes[pair + 1] & 1 == 0 ? code &+ distance : code &- distance)
    }
    cased = from
    lowered = to
  }

  /// The flags of a code point; `code` is below 0x110000.
  @inline(__always)
  func flags(_ code: UInt32) -> CodePointFlags {
    let block = Int(pages[Int(code >> 8)])
    return CodePointFlags(rawValue: blocks[block << 8 | Int(code & 0xFF)])
  }

  /// The lowercase of a code point that has `.lowers`; itself for any other.
  ///
  /// U+0130 gives "i" here; what follows it is `TextNormalizer`'s business.
  func lowercase(_ code: UInt32) -> UInt32 {
    var low = 0
    var high = cased.count
    while low < high {
      let middle = (low + high) / 2
      if cased[middle] < code { low = middle + 1 } else { high = middle }
    }
    return low < cased.count && cased[low] == code ? lowered[low] : code
  }

  /// Decodes hexadecimal text of little-endian base-128 numbers.
  private static func numbers(_ text: StaticString) -> [UInt32] {
    func digit(_ byte: UInt8) -> UInt32 { UInt32(byte < 0x3A ? byte - 0x30 : byte - 0x57) }
    return text.withUTF8Buffer { digits in
      var result: [UInt32] = []
      result.reserveCapacity(digits.count / 2)
      var value: UInt32 = 0
      var shift: UInt32 = 0
      for i in stride(from: 0, to: digits.count - 1, by: 2) {
        let byte = digit(digits[i]) << 4 | digit(digits[i + 1])
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 {
          result.append(value)
          (value, shift) = (0, 0)
        }
      }
      return result
    }
  }
}
