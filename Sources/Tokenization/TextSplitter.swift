/// A piece of text between spaces, as `ChunkScanner` finds it.
struct TextChunk {
  enum Kind {
    /// Letters and digits of ASCII: one word, only its case to be changed.
    case plain
    /// One ASCII punctuation character: a word of its own.
    case punctuation
    /// Holds bytes beyond ASCII or control characters: to be normalised, any number of words.
    case complex
  }

  let start: Int
  let count: Int
  let kind: Kind
}

/// Cuts text at ASCII spaces and ASCII punctuation, where normalisation can't reach across.
struct ChunkScanner {
  let bytes: UnsafePointer<UInt8>
  let count: Int
  let classes: UnsafePointer<UInt8>
  var position = 0

  @inline(__always)
  mutating func next() -> TextChunk? {
    var start = position
    while start < count, classes[Int(bytes[start])] == ByteClass.space { start += 1 }
    guard start < count else {
      position = count
      return nil
    }
    var seen = classes[Int(bytes[start])]
    var end = start + 1
    if seen == ByteClass.punctuation {
      position = end
      return TextChunk(start: start, count: 1, kind: .punctuation)
    }
    while end < count {
      let next = classes[Int(bytes[end])]
      if next & ByteClass.boundary != 0 { break }
      seen |= next
      end += 1
    }
    position = end
    return TextChunk(
      start: start, count: end - start, kind: seen == ByteClass.plain ? .plain : .complex)
  }
}

/// What a byte means to `ChunkScanner`.
enum ByteClass {
  static let plain: UInt8 = 0
  static let complex: UInt8 = 1
  static let space: UInt8 = 2
  static let punctuation: UInt8 = 4
  /// The bits of the classes that end a word.
  static let boundary: UInt8 = 6
}

/// A word inside a buffer of normalised text.
struct WordSpan: BitwiseCopyable {
  let start: Int
  let count: Int
  /// Unicode scalars, which BERT's limit counts.
  let scalars: Int
}

/// A normaliser with the byte tables that let ASCII text skip it.
final class TextSplitter: @unchecked Sendable {
  // Unchecked: filled by init, only read afterwards.
  let normalizer: TextNormalizer
  let classes: UnsafeMutablePointer<UInt8>
  let lowered: UnsafeMutablePointer<UInt8>
  private let tables = UnicodeTables.shared

  init(_ normalizer: TextNormalizer) {
    self.normalizer = normalizer
    classes = .allocate(capacity: 256)
    lowered = .allocate(capacity: 256)
    for byte in 0..<256 {
      let code = UInt32(byte)
      let flags = tables.flags(code)
      lowered[byte] = UInt8(byte)
      if byte >= 0x80 {
        classes[byte] = ByteClass.complex
        continue
      }
      if normalizer.lowers { lowered[byte] = UInt8(tables.lowercase(code)) }
      if normalizer.cleans, flags.contains(.dropped) {
        classes[byte] = ByteClass.complex
      } else if flags.contains(.whitespace) || normalizer.cleans && flags.contains(.space) {
        classes[byte] = ByteClass.space
      } else if flags.contains(.punctuation) {
        classes[byte] = ByteClass.punctuation
      } else {
        classes[byte] = ByteClass.plain
      }
    }
  }

  deinit {
    classes.deallocate()
    lowered.deallocate()
  }

  func scanner(_ bytes: UnsafeBufferPointer<UInt8>) -> ChunkScanner? {
    guard let base = bytes.baseAddress else { return nil }
    return ChunkScanner(bytes: base, count: bytes.count, classes: classes)
  }

  /// Normalises a complex chunk and splits it: the words' bytes and where they are.
  ///
  /// All three buffers are overwritten.
  func words(
    in chunk: UnsafeBufferPointer<UInt8>, scalars: inout GrowableBuffer<UInt32>,
    bytes: inout GrowableBuffer<UInt8>, spans: inout GrowableBuffer<WordSpan>
  ) {
    scalars.count = 0
    bytes.count = 0
    spans.count = 0
    normalizer.normalize(chunk, into: &scalars)
    var start = 0
    var length = 0
    for i in 0..<scalars.count {
      let code = scalars.base[i]
      let flags = tables.flags(code)
      if flags.isDisjoint(with: [.whitespace, .punctuation]) {
        UTF8Bytes.append(code, to: &bytes)
        length += 1
        continue
      }
      if length > 0 {
        spans.append(WordSpan(start: start, count: bytes.count - start, scalars: length))
      }
      start = bytes.count
      length = 0
      if flags.contains(.punctuation) {
        UTF8Bytes.append(code, to: &bytes)
        spans.append(WordSpan(start: start, count: bytes.count - start, scalars: 1))
        start = bytes.count
      }
    }
    if length > 0 {
      spans.append(WordSpan(start: start, count: bytes.count - start, scalars: length))
    }
  }
}
