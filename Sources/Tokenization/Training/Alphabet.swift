/// The characters that a vocabulary starts from.
struct Alphabet {
  /// Kept characters in the order of their code points.
  private(set) var characters: [UInt32] = []
  /// Those of them that also stand inside words, so need a `##` piece.
  private(set) var inner: [UInt32] = []
  /// How many characters were left out, the rarest ones.
  private(set) var droppedCount = 0

  private struct Candidate {
    let code: UInt32
    var count: Int64 = 0
    var isInner = false
  }

  /// Takes the `limit` most frequent characters, and no more than `room` pieces have place for.
  ///
  /// Equally frequent ones: the smaller code point first.
  init(_ words: borrowing WordCounts, limit: Int, room: Int) {
    var seen: [UInt32: Int] = [:]
    var candidates: [Candidate] = []
    for index in 0..<words.words.count {
      words.words.withBytes(index) { bytes in
        guard let base = bytes.baseAddress else { return }
        var position = 0
        while position < bytes.count {
          let isInner = position > 0
          let code = UTF8Bytes.decode(base, &position, bytes.count)
          let place = seen[code] ?? candidates.count
          if place == candidates.count {
            seen[code] = place
            candidates.append(Candidate(code: code))
          }
          candidates[place].count += words.counts[index]
          candidates[place].isInner = candidates[place].isInner || isInner
        }
      }
    }
    candidates.sort { ($1.count, $0.code) < ($0.count, $1.code) }
    var room = room
    for candidate in candidates.prefix(max(limit, 0)) {
      room -= candidate.isInner ? 2 : 1
      if room < 0 { break }
      characters.append(candidate.code)
      if candidate.isInner { inner.append(candidate.code) }
    }
    droppedCount = candidates.count - characters.count
    characters.sort()
    inner.sort()
  }
}
