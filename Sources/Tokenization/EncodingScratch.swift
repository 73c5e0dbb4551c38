/// Memory that encoding reuses from text to text: buffers and a cache of recent words.
///
/// Keep one for each thread that encodes. It may be used with several tokenizers in turn; the cache
/// starts anew when the tokenizer changes.
public struct EncodingScratch: ~Copyable, @unchecked Sendable {
  // Unchecked: it owns all its memory and can't be copied, so one thread has it at a time.
  var ids = GrowableBuffer<Int32>(capacity: 256)
  var scalars = GrowableBuffer<UInt32>(capacity: 256)
  var word = GrowableBuffer<UInt8>(capacity: 256)
  var spans = GrowableBuffer<WordSpan>(capacity: 64)
  /// Made once enough text has passed to be worth it: one short text should cost little.
  var cache: WordCache?
  private var owner: TextEncoderEngine?
  private var bytesSeen = 0
  private static let cacheThreshold = 1 << 14

  /// Creates empty scratch memory; it grows with what is encoded.
  public init() {}

  /// Gets ready for `count` more bytes of text for `engine`.
  mutating func prepare(for engine: TextEncoderEngine, bytes count: Int) {
    if owner !== engine {
      if owner != nil { cache?.clear() }
      owner = engine
    }
    ids.count = 0
    bytesSeen += count
    if cache == nil, bytesSeen > EncodingScratch.cacheThreshold { cache = WordCache() }
  }
}
