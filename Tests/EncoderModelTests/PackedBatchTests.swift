import EncoderModel
import Testing

/// Sequences laid end to end.
@Suite struct PackedBatchTests {
  @Test func positionsRestartAndOffsetsEndAtTheTotal() {
    let batch = PackedBatch([[7, 8, 9], [], [5]])
    #expect(batch.ids == [7, 8, 9, 5])
    #expect(batch.positions == [0, 1, 2, 0])
    #expect(batch.offsets == [0, 3, 3, 4])
    #expect(batch.typeIDs == nil)
    #expect(batch.tokenCount == 4 && batch.sequenceCount == 3 && batch.longestSequence == 3)
  }

  @Test func typesMayComeLateOrStop() {
    var batch = PackedBatch([[1, 2]])
    batch.append([3, 4, 5], typeIDs: [0, 1, 1])
    batch.append([6])
    #expect(batch.typeIDs == [0, 0, 0, 1, 1, 0])
    #expect(batch.offsets == [0, 2, 5, 6])
  }

  @Test func anEmptyBatchHasNothing() {
    let batch = PackedBatch()
    #expect(batch.tokenCount == 0 && batch.sequenceCount == 0 && batch.longestSequence == 0)
    #expect(batch.offsets == [0])
  }

  @Test func removingAllStartsAnew() {
    var batch = PackedBatch()
    batch.append([1, 2], typeIDs: [1, 1])
    batch.removeAll()
    batch.append([3])
    #expect(batch.ids == [3] && batch.positions == [0] && batch.offsets == [0, 1])
    #expect(batch.typeIDs == nil)
  }

  @Test func replacingChangesOneToken() {
    var batch = PackedBatch([[1, 2], [3]])
    batch.replace(at: 1, with: 9)
    #expect(batch.ids == [1, 9, 3] && batch.positions == [0, 1, 0])
  }
}
