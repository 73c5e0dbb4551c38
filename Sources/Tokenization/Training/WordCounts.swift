/// How often each normalised word occurs in a text.
struct WordCounts: Sendable {
  private(set) var words = TokenTable(expecting: 1 << 12)
  private(set) var counts: [Int64] = []
  /// ASCII punctuation, frequent and of one byte, is kept aside.
  private var punctuation = Array(repeating: Int64(0), count: 128)

  /// Counts the words of a text.
  ///
  /// A word isn't cut at the end: give whole lines.
  mutating func count(_ text: UnsafeBufferPointer<UInt8>, _ splitter: TextSplitter) {
    guard var scanner = splitter.scanner(text) else { return }
    var scalars = GrowableBuffer<UInt32>(capacity: 256)
    var bytes = GrowableBuffer<UInt8>(capacity: 256)
    var spans = GrowableBuffer<WordSpan>(capacity: 64)
    while let chunk = scanner.next() {
      let start = scanner.bytes + chunk.start
      switch chunk.kind {
      case .punctuation: punctuation[Int(start[0] & 0x7F)] += 1
      case .plain:
        bytes.count = 0
        bytes.reserve(chunk.count)
        for i in 0..<chunk.count { bytes.base[i] = splitter.lowered[Int(start[i])] }
        add(UnsafeBufferPointer(start: bytes.base, count: chunk.count), 1)
      case .complex:
        splitter.words(
          in: UnsafeBufferPointer(start: start, count: chunk.count), scalars: &scalars,
          bytes: &bytes, spans: &spans)
        for i in 0..<spans.count {
          let span = spans.base[i]
          add(UnsafeBufferPointer(start: bytes.base + span.start, count: span.count), 1)
        }
      }
    }
  }

  @inline(__always)
  private mutating func add(_ word: UnsafeBufferPointer<UInt8>, _ times: Int64) {
    let (inserted, index) = words.insert(word)
    if inserted { counts.append(times) } else { counts[index] += times }
  }

  /// Adds the counts of another part of the text.
  mutating func merge(_ other: WordCounts) {
    for index in 0..<other.words.count {
      other.words.withBytes(index) { add($0, other.counts[index]) }
    }
    for byte in 0..<128 { punctuation[byte] += other.punctuation[byte] }
  }

  /// Moves the punctuation among the words.
  mutating func finish() {
    for byte in 0..<128 where punctuation[byte] > 0 {
      withUnsafePointer(to: UInt8(byte)) {
        add(UnsafeBufferPointer(start: $0, count: 1), punctuation[byte])
      }
      punctuation[byte] = 0
    }
  }
}
