import Dispatch

extension Tokenizer {
  /// Encodes many texts on several threads; the result is in the texts' order.
  ///
  /// The result doesn't depend on `threads`.
  public func encodeBatch(
    _ texts: [String], addSpecialTokens: Bool = true, maximumLength: Int? = nil, threads: Int
  ) -> [[Int32]] {
    let parts = Tokenizer.evenParts(texts.map { $0.utf8.count + 16 }, count: threads)
    return [[Int32]](unsafeUninitializedCapacity: texts.count) { results, count in
      results.initialize(repeating: [])
      count = texts.count
      // Each thread writes a range of its own.
      nonisolated(unsafe) let results = results
      DispatchQueue.concurrentPerform(iterations: parts.count) { part in
        var scratch = EncodingScratch()
        for index in parts[part] {
          var text = texts[index]
          text.withUTF8 { bytes in
            encode(
              utf8: bytes, addSpecialTokens: addSpecialTokens, maximumLength: maximumLength,
              scratch: &scratch, into: &results[index])
          }
        }
      }
    }
  }

  /// Cuts `0..<weights.count` into at most `count` ranges of about the same weight.
  static func evenParts(_ weights: [Int], count: Int) -> [Range<Int>] {
    let total = weights.reduce(0, +)
    var parts: [Range<Int>] = []
    var start = 0
    var seen = 0
    for (index, weight) in weights.enumerated() {
      seen += weight
      if seen * max(count, 1) >= total * (parts.count + 1) || index == weights.count - 1 {
        parts.append(start..<(index + 1))
        start = index + 1
      }
    }
    return parts
  }
}
