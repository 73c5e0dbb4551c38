import EncoderModel
import Kernels
import TestSupport
import Testing

/// BERT's initialisation.
@Suite struct InitializationTests {
  private func filled(_ seed: UInt64) -> ParameterStore<Float> {
    var table = ParameterTable()
    let encoder = TextEncoder(
      EncoderPreset.tiny.configuration(vocabularySize: 100, dropout: 0), in: &table)
    _ = MaskedTokenHead(encoder, in: &table)
    let store = ParameterStore<Float>(table)
    var generator = SplitMix64(seed)
    Initialization.fill(store, deviation: 0.02, using: &generator)
    return store
  }

  @Test func aSeedGivesOneModel() {
    let (one, again, other) = (filled(1), filled(1), filled(2))
    // Bools, for a failure would print half a million numbers.
    let same = one.values.elementsEqual(again.values)
    let different = !one.values.elementsEqual(other.values)
    #expect(same && different)
  }

  @Test func biasesAreZeroNormsOneWeightsNormal() {
    let store = filled(3)
    for entry in store.table.entries {
      let values = store.array(entry)
      if entry.name.hasSuffix("bias") {
        #expect(values.allSatisfy { $0 == 0 }, "\(entry.name)")
      } else if entry.name.hasSuffix("LayerNorm.weight") {
        #expect(values.allSatisfy { $0 == 1 }, "\(entry.name)")
      } else {
        expectNormal(values.map { Double($0) / 0.02 }, entry.name)
      }
    }
  }

  /// Mean, variance and the shares within one and two deviations, each within five standard errors.
  private func expectNormal(_ z: [Double], _ label: String) {
    let n = Double(z.count)
    expectClose(z.reduce(0, +) / n, 0, absolute: 5 / n.squareRoot(), "\(label) mean")
    let variance = z.reduce(0) { $0 + $1 * $1 } / n
    expectClose(variance, 1, absolute: 5 * (2 / n).squareRoot(), "\(label) variance")
    for (bound, share) in [(1.0, 0.682_689_492), (2.0, 0.954_499_736)] {
      let inside = Double(z.count { abs($0) < bound }) / n
      let error = (share * (1 - share) / n).squareRoot()
      expectClose(inside, share, absolute: 5 * error, "\(label) within \(bound)")
    }
  }

  @Test(arguments: [0, 1, 2, 7])
  func normalFillStaysInsideItsBuffer(_ count: Int) {
    var values = [Double](repeating: 9, count: count + 2)
    var generator = SplitMix64(5)
    values.withUnsafeMutableBufferPointer {
      Initialization.fillNormal(
        UnsafeMutableBufferPointer(rebasing: $0[1..<(count + 1)]), deviation: 1, using: &generator)
    }
    #expect(values[0] == 9 && values[count + 1] == 9)
    #expect(!values[1..<(count + 1)].contains(9))
    #expect(Set(values[1..<(count + 1)]).count == count)
  }

  @Test func adapterDrawsItsDownProjectionOnly() {
    var table = ParameterTable()
    let adapter = BottleneckAdapter(name: "item", layer: 1, width: 64, bottleneck: 16, in: &table)
    let store = ParameterStore<Float>(table)
    store.values.update(repeating: 5)
    var generator = SplitMix64(6)
    adapter.initialize(store, using: &generator)
    for entry in table.entries {
      let values = store.array(entry)
      if entry.name.hasSuffix("adapter_down.0.weight") {
        expectNormal(values.map { Double($0) / 0.02 }, entry.name)
      } else {
        #expect(values.allSatisfy { $0 == 0 }, "\(entry.name)")
      }
    }
  }
}
