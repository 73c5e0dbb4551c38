import Kernels
import TestSupport
import Testing

@Suite struct EmbeddingTests {
  let ids: [Int32] = [2, 0, 2, 1]
  let positions: [Int32] = [0, 1, 2, 0]
  let types: [Int32] = [0, 0, 1, 1]
  let word: [Double] = [1, 2, 3, 4, 5, 6]
  let position: [Double] = [10, 20, 30, 40, 50, 60]
  let type: [Double] = [100, 200, 300, 400]

  @Test func forwardByHand() {
    #expect(forward(Double.self, types) == [115, 226, 131, 242, 355, 466, 313, 424])
    #expect(forward(Float.self, types) == [115, 226, 131, 242, 355, 466, 313, 424])
    #expect(forward(Double.self, nil) == [115, 226, 131, 242, 155, 266, 113, 224])
    #expect(forward(Float.self, nil) == [115, 226, 131, 242, 155, 266, 113, 224])
  }

  private func forward<S: KernelScalar>(_: S.Type, _ types: [Int32]?) -> [S] {
    var y: [S] = zeros(8)
    let (word, position, type) = (word.map { S($0) }, position.map { S($0) }, type.map { S($0) })
    if let types {
      Embedding.forward(
        y: &y, ids: ids, positions: positions, types: types, word: word, position: position,
        type: type, rows: 4, width: 2)
    } else {
      Embedding.forward(
        y: &y, ids: ids, positions: positions, types: nil, word: word, position: position,
        type: type, rows: 4, width: 2)
    }
    return y
  }

  @Test func gradients() {
    let dy = randomVector(8, seed: 1)
    var (dWord, dPosition, dType): ([Double], [Double], [Double]) = (zeros(6), zeros(6), zeros(4))
    Embedding.backward(
      dWord: &dWord, dPosition: &dPosition, dType: &dType, dy: dy, ids: ids, positions: positions,
      types: types, rows: 4, width: 2)
    func loss(_ word: [Double], _ position: [Double], _ type: [Double]) -> Double {
      var y: [Double] = zeros(8)
      Embedding.forward(
        y: &y, ids: ids, positions: positions, types: types, word: word, position: position,
        type: type, rows: 4, width: 2)
      return GradientCheck.project(y, on: dy)
    }
    // The map is linear, and with a large step the tables' magnitudes don't matter.
    let check = GradientCheck(step: 1, tolerance: 1e-9)
    check.expect("word", input: word, gradient: dWord) { loss($0, position, type) }
    check.expect("position", input: position, gradient: dPosition) { loss(word, $0, type) }
    check.expect("type", input: type, gradient: dType) { loss(word, position, $0) }
  }

  @Test func floatBackwardByHand() {
    let dy: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]
    var (dWord, dPosition, dType): ([Float], [Float], [Float]) = (
      [1, 1, 1, 1, 1, 1], zeros(6), zeros(4)
    )
    Embedding.backward(
      dWord: &dWord, dPosition: nil, dType: nil, dy: dy, ids: ids, positions: positions,
      types: nil, rows: 4, width: 2)
    #expect(dWord == [4, 5, 8, 9, 7, 9])
    Embedding.backward(
      dWord: nil, dPosition: &dPosition, dType: &dType, dy: dy, ids: ids, positions: positions,
      types: nil, rows: 4, width: 2)
    #expect(dPosition == [8, 10, 3, 4, 5, 6])
    #expect(dType == [16, 20, 0, 0])
  }
}
