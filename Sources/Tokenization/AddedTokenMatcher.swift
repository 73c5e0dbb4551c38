#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds added tokens in text: the leftmost match, of several there the longest.
///
/// The rules for single words and white space are those of `tokenizers`' AddedVocabulary.
struct AddedTokenMatcher: Sendable {
  private struct Candidate {
    let bytes: [UInt8]
    let token: AddedToken
  }

  /// A match: the bytes it takes (white space too where the token strips it) and its id.
  struct Match {
    let range: Range<Int>
    let id: Int32
  }

  /// By first byte; the longest first.
  private let candidates: [[Candidate]]
  private let onlyFirstByte: UInt8?

  /// Creates a matcher; nil when there is nothing to look for.
  init?(_ tokens: [(bytes: [UInt8], token: AddedToken)]) {
    var lists: [[Candidate]] = Array(repeating: [], count: 256)
    for (bytes, token) in tokens {
      guard let first = bytes.first else { continue }
      lists[Int(first)].append(Candidate(bytes: bytes, token: token))
    }
    let used = lists.indices.filter { !lists[$0].isEmpty }
    guard !used.isEmpty else { return nil }
    for first in used { lists[first].sort { $0.bytes.count > $1.bytes.count } }
    candidates = lists
    onlyFirstByte = used.count == 1 ? UInt8(used[0]) : nil
  }

  /// The first match that starts at `start` or later and takes no byte before it.
  func next(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Match? {
    guard let base = text.baseAddress else { return nil }
    var position = start
    while let place = nextFirstByte(base, position, text.count) {
      position = place + 1
      for candidate in candidates[Int(base[place])] {
        let length = candidate.bytes.count
        guard place + length <= text.count,
          memcmp(base + place, candidate.bytes, length) == 0
        else { continue }
        if let match = accept(candidate, at: place, in: text, after: start) { return match }
        // As in the reference: a match that isn't a whole word still hides those inside it.
        position = place + length
        break
      }
    }
    return nil
  }

  private func nextFirstByte(_ base: UnsafePointer<UInt8>, _ from: Int, _ count: Int) -> Int? {
    if from >= count { return nil }
    if let byte = onlyFirstByte {
      guard let found = memchr(base + from, Int32(byte), count - from) else { return nil }
      return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
    var position = from
    while position < count {
      if !candidates[Int(base[position])].isEmpty { return position }
      position += 1
    }
    return nil
  }

  private func accept(
    _ candidate: Candidate, at place: Int, in text: UnsafeBufferPointer<UInt8>, after: Int
  ) -> Match? {
    var start = place
    var end = place + candidate.bytes.count
    let token = candidate.token
    if token.singleWord {
      if let before = scalar(before: start, in: text), isWordCharacter(before) { return nil }
      if let next = scalar(at: end, in: text), isWordCharacter(next.scalar) { return nil }
    }
    if token.stripsLeft {
      while start > after, let before = scalar(before: start, in: text),
        before.properties.isWhitespace
      {
        start -= UTF8.width(before)
      }
      start = max(start, after)
    }
    if token.stripsRight {
      while let next = scalar(at: end, in: text), next.scalar.properties.isWhitespace {
        end = next.end
      }
    }
    return Match(range: start..<end, id: token.id)
  }

  private func scalar(
    at position: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> (scalar: Unicode.Scalar, end: Int)? {
    guard position < text.count, let base = text.baseAddress else { return nil }
    var end = position
    guard let scalar = Unicode.Scalar(UTF8Bytes.decode(base, &end, text.count)) else { return nil }
    return (scalar, end)
  }

  private func scalar(
    before position: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> Unicode.Scalar? {
    var start = position - 1
    while start > 0, position - start < 4, text[start] & 0xC0 == 0x80 { start -= 1 }
    guard start >= 0 else { return nil }
    return scalar(at: start, in: text)?.scalar
  }

  /// A character of a regular expression's `\w`.
  private func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
      return true
    default: return false
    }
  }
}

extension UTF8 {
  /// The number of bytes of a scalar.
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0..<0x80: 1
    case 0x80..<0x800: 2
    case 0x800..<0x10000: 3
    default: 4
    }
  }
}
