import Datasets
import Testing
import Training

@Suite("Sequence order")
struct SequenceOrderTests {
  /// Lengths between 3 and 12, one of 40, under ids that don't begin at 0.
  private let sequences = (100..<160).map { Int32($0) }
  private func length(_ id: Int32) -> Int { id == 130 ? 40 : 3 + Int(id) % 10 }

  private func batches(_ order: inout SequenceOrder, _ count: Int) -> [[Int32]] {
    (0..<count).map { _ in order.next(tokens: 30, length: length) }
  }

  @Test("an epoch has every sequence once, each epoch in another order")
  func epochs() {
    var order = SequenceOrder(sequences, seed: 1)
    var read: [[Int32]] = [[], [], []]
    while order.position.epoch < 3 {
      let epoch = order.position.epoch
      read[epoch] += order.next(tokens: 30, length: length)
    }
    for epoch in read { #expect(epoch.sorted() == sequences) }
    #expect(read[0] != read[1] && read[1] != read[2] && read[0] != sequences)
    #expect(order.position.consumed == 0)
    #expect(order.epochs == 3)
  }

  @Test("a batch keeps the budget and is as full as it can be; a long sequence stands alone")
  func budget() {
    var order = SequenceOrder(sequences, seed: 2)
    var all: [[Int32]] = []
    while order.position.epoch == 0 { all.append(order.next(tokens: 30, length: length)) }
    for (batch, next) in zip(all, all.dropFirst()) {
      let size = batch.reduce(0) { $0 + length($1) }
      #expect(size <= 30 || batch == [130])
      #expect(size + length(next[0]) > 30)
    }
    #expect(all.contains([130]))
  }

  @Test("the position is all of the state", arguments: [0, 1, 5, 17])
  func resume(after count: Int) {
    var whole = SequenceOrder(sequences, seed: 3)
    _ = batches(&whole, count)
    var resumed = SequenceOrder(sequences, seed: 3)
    resumed.position = whole.position
    #expect(batches(&resumed, 40) == batches(&whole, 40))
    var other = SequenceOrder(sequences, seed: 4)
    other.position = resumed.position
    #expect(batches(&other, 40) != batches(&resumed, 40))
  }

  @Test("the share of an epoch, by hand")
  func share() {
    var order = SequenceOrder([1, 2, 3, 4], seed: 5)
    #expect(order.epochs == 0)
    _ = order.next(tokens: 10, length: { _ in 10 })
    #expect(order.epochs == 0.25)
    _ = order.next(tokens: 20, length: { _ in 10 })
    #expect(order.epochs == 0.75)
    #expect(order.next(tokens: 20, length: { _ in 10 }).count == 1)
    #expect(order.epochs == 1)
  }

  @Test("workers get the longest first, each the one with the fewest tokens, by hand")
  func balance() {
    let lengths: [Int32: Int] = [1: 5, 2: 9, 3: 4, 4: 7, 5: 6]
    let parts = SequenceOrder.balance([1, 2, 3, 4, 5], workers: 2) { lengths[$0] ?? 0 }
    // 9 | 7 | 7 + 6 | 9 + 5 | 13 + 4
    #expect(parts == [[2, 1], [4, 5, 3]])
    #expect(SequenceOrder.balance([7, 6], workers: 3) { _ in 4 } == [[6], [7], []])
    #expect(SequenceOrder.balance([], workers: 2) { _ in 1 } == [[], []])
  }
}
