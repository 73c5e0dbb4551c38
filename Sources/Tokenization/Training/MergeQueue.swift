/// Pairs to merge, the most frequent first; of equally frequent ones the smaller pair.
struct MergeQueue: ~Copyable {
  struct Entry: BitwiseCopyable {
    /// The pair's index in the table and its key.
    let pair: Int
    let key: UInt64
    /// The pair's count when the entry was made; it may have changed since.
    var count: Int64
    /// The last node of the list of words.
    let lastNode: Int32

    @inline(__always)
    func comesBefore(_ other: Entry) -> Bool {
      count != other.count ? count > other.count : key < other.key
    }
  }

  private var heap = GrowableBuffer<Entry>(capacity: 1 << 12)

  mutating func push(_ entry: Entry) {
    heap.append(entry)
    let base = heap.base
    var place = heap.count - 1
    while place > 0 {
      let parent = (place - 1) / 2
      if !entry.comesBefore(base[parent]) { break }
      base[place] = base[parent]
      place = parent
    }
    base[place] = entry
  }

  mutating func pop() -> Entry? {
    guard heap.count > 0 else { return nil }
    let base = heap.base
    let top = base[0]
    heap.count -= 1
    let count = heap.count
    if count == 0 { return top }
    let moved = base[count]
    var place = 0
    while true {
      var child = place * 2 + 1
      if child >= count { break }
      if child + 1 < count, base[child + 1].comesBefore(base[child]) { child += 1 }
      if !base[child].comesBefore(moved) { break }
      base[place] = base[child]
      place = child
    }
    base[place] = moved
    return top
  }
}
