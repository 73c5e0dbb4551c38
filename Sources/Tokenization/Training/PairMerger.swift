/// Grows a vocabulary by merging the most frequent pair of neighbouring pieces, again and again.
///
/// Merge for merge the algorithm of `tokenizers`' BpeTrainer, on which its WordPieceTrainer rests:
/// counts are kept in a heap that isn't corrected at once; an entry whose count is out of date goes
/// back with the right one when it comes up.
struct PairMerger: ~Copyable {
  private var symbols = GrowableBuffer<Int32>(capacity: 1 << 12)
  private var starts = GrowableBuffer<Int>(capacity: 1 << 12)
  private var lengths = GrowableBuffer<Int32>(capacity: 1 << 12)
  private var counts = GrowableBuffer<Int64>(capacity: 1 << 12)
  private var pairs = PairTable()
  private var queue = MergeQueue()
  /// Pairs that got words since the queue was last filled.
  private var touched = GrowableBuffer<Int>(capacity: 1 << 12)
  private var visits = 0

  /// Adds a word as the ids of its characters.
  mutating func add(_ ids: UnsafeBufferPointer<Int32>, count: Int64) {
    starts.append(symbols.count)
    lengths.append(Int32(ids.count))
    counts.append(count)
    for id in ids { symbols.append(id) }
  }

  /// Merges until `tokens` has `size` entries or no pair occurs `minimumFrequency` times.
  ///
  /// Gives the number of merges.
  mutating func run(
    _ tokens: inout TokenTable, size: Int, minimumFrequency: Int
  ) -> Int {
    countPairs()
    var merges = 0
    while tokens.count < size, var top = queue.pop() {
      let count = pairs.pairs.base[top.pair].count
      if top.count != count {
        top.count = count
        queue.push(top)
        continue
      }
      if count < 1 || count < Int64(minimumFrequency) { break }
      let first = Int32(truncatingIfNeeded: top.key >> 32)
      let second = Int32(truncatingIfNeeded: top.key)
      let merged = PairMerger.join(first, second, &tokens)
      merges += 1
      var node = top.lastNode
      while node >= 0 {
        let entry = pairs.nodes.base[Int(node)]
        merge(first, second, into: merged, in: entry.word)
        node = entry.previous
      }
      fillQueue()
    }
    return merges
  }

  /// The token of two pieces, `##` of the second left out; made unless it exists.
  private static func join(_ first: Int32, _ second: Int32, _ tokens: inout TokenTable) -> Int32 {
    var bytes = tokens.withBytes(Int(first)) { Array($0) }
    tokens.withBytes(Int(second)) { piece in
      let continues = piece.count >= 2 && piece[0] == 0x23 && piece[1] == 0x23
      bytes.append(contentsOf: continues ? piece[2...] : piece[...])
    }
    return Int32(bytes.withUnsafeBufferPointer { tokens.insert($0).index })
  }

  private mutating func countPairs() {
    for word in 0..<starts.count {
      let start = starts.base[word]
      visits += 1
      for i in start..<(start + max(Int(lengths.base[word]) - 1, 0)) {
        change(symbols.base[i], symbols.base[i + 1], by: counts.base[word], word: Int32(word))
      }
    }
    fillQueue()
  }

  /// Changes a pair's count; where it grows the word is noted.
  private mutating func change(_ first: Int32, _ second: Int32, by count: Int64, word: Int32) {
    let index = pairs.index(of: PairTable.key(first, second))
    pairs.pairs.base[index].count += count
    if count > 0, pairs.note(index, in: word, visit: visits) { touched.append(index) }
  }

  private mutating func fillQueue() {
    for i in 0..<touched.count {
      let index = touched.base[i]
      let pair = pairs.pairs.base[index]
      pairs.pairs.base[index].lastNode = -1
      if pair.count > 0 {
        queue.push(
          MergeQueue.Entry(
            pair: index, key: pair.key, count: pair.count, lastNode: pair.lastNode))
      }
    }
    touched.count = 0
  }

  /// Replaces a pair wherever it stands in a word and changes the counts of its neighbours.
  private mutating func merge(
    _ first: Int32, _ second: Int32, into merged: Int32, in word: Int32
  ) {
    let base = symbols.base + starts.base[Int(word)]
    let length = Int(lengths.base[Int(word)])
    let count = counts.base[Int(word)]
    visits += 1
    var read = 0
    var write = 0
    while read < length {
      let matches = read + 1 < length && base[read] == first && base[read + 1] == second
      if !matches {
        base[write] = base[read]
        write += 1
        read += 1
        continue
      }
      if write > 0 {
        change(base[write - 1], first, by: -count, word: word)
        change(base[write - 1], merged, by: count, word: word)
      }
      if read + 2 < length {
        change(second, base[read + 2], by: -count, word: word)
        change(merged, base[read + 2], by: count, word: word)
      }
      base[write] = merged
      write += 1
      read += 2
    }
    lengths.base[Int(word)] = Int32(write)
  }
}
