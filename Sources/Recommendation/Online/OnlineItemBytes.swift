/// An item's representation as bytes, so that it needn't be computed again by the same model.
///
/// Little-endian: the lengths of eight lists as 32-bit numbers, then their 32-bit elements.
extension OnlineItem {
  private var dense: [[Float]] { [white, tower, factors] }

  private var sparse: [[Weighted]] {
    [textNeighbours, wordNeighbours, wordCosines, kernelWeights, words]
  }

  /// The bytes.
  public var bytes: [UInt8] {
    var words: [UInt32] = []
    words += dense.map { UInt32($0.count) } + sparse.map { UInt32($0.count) }
    for list in dense { words += list.map(\.bitPattern) }
    for list in sparse {
      words += list.map { UInt32(bitPattern: $0.item) }
      words += list.map(\.weight.bitPattern)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 4)
    for word in words {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  /// Reads what ``bytes`` has written; nil for anything else.
  public convenience init?(bytes: [UInt8]) {
    guard bytes.count % 4 == 0, bytes.count >= 32 else { return nil }
    let words = bytes.withUnsafeBytes { raw in
      (0..<(bytes.count / 4)).map {
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
      }
    }
    let counts = words[..<8].map { Int($0) }
    let total = counts[..<3].reduce(8, +) + 2 * counts[3...].reduce(0, +)
    guard total == words.count else { return nil }
    var next = 8
    func take(_ count: Int) -> ArraySlice<UInt32> {
      next += count
      return words[(next - count)..<next]
    }
    let dense = counts[..<3].map { take($0).map { Float(bitPattern: $0) } }
    let sparse = counts[3...].map { count -> [Weighted] in
      let items = take(count)
      return zip(items, take(count)).map {
        Weighted(item: Int32(bitPattern: $0), weight: Float(bitPattern: $1))
      }
    }
    self.init(
      white: dense[0], tower: dense[1], factors: dense[2], textNeighbours: sparse[0],
      wordNeighbours: sparse[1], wordCosines: sparse[2], kernelWeights: sparse[3],
      words: sparse[4])
  }

  /// Whether a model that has made `other` could have made this: the same widths, and items that it has.
  public func fits(_ other: OnlineItem, in model: OnlineModel) -> Bool {
    let terms = model.recommender.models.words.termCount
    let limits = [model.itemCount, model.itemCount, model.itemCount, model.itemCount, terms]
    return dense.map(\.count) == other.dense.map(\.count)
      && zip(sparse, limits).allSatisfy { list, limit in
        list.allSatisfy { $0.item >= 0 && Int($0.item) < limit }
      }
  }
}
