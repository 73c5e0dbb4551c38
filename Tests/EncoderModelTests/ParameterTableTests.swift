import EncoderModel
import Kernels
import TestSupport
import Testing

/// The table of parameters and the buffers under it.
@Suite struct ParameterTableTests {
  @Test func entriesFollowEachOtherInMemory() {
    var table = ParameterTable()
    let encoder = TextEncoder(
      EncoderPreset.mini.configuration(vocabularySize: 1000, dropout: 0), in: &table)
    _ = MaskedTokenHead(encoder, in: &table)
    var next = 0
    for entry in table.entries {
      #expect(entry.offset == next)
      #expect(table[entry.name] == entry)
      next = entry.range.upperBound
    }
    #expect(table.elementCount == next)
    #expect(table["no.such.tensor"] == nil)
  }

  /// `BertForMaskedLM(config).num_parameters()` of transformers 5.24.0 for a vocabulary of 8,192.
  @Test(arguments: [
    (EncoderPreset.tiny, 1_536_128), (.mini, 5_462_784), (.small, 17_339_904),
    (.base, 92_342_528),
  ])
  func presetsHaveTransformersSizes(_ preset: EncoderPreset, _ count: Int) {
    var table = ParameterTable()
    let encoder = TextEncoder(
      preset.configuration(vocabularySize: 8192, dropout: 0.1), in: &table)
    _ = MaskedTokenHead(encoder, in: &table)
    #expect(table.elementCount == count)
  }

  @Test func decaySkipsBiasesAndNormsByName() throws {
    let m = try GoldenModel<Float>(.gelu)
    let plain = m.weights.table.entries.filter { !$0.decays }.map(\.name)
    // Per layer 6 biases of Linears and 2 LayerNorms of 2; embeddings 2; head 2 biases and 2.
    #expect(plain.count == 2 * 10 + 2 + 4)
    #expect(plain.allSatisfy { $0.hasSuffix(".bias") || $0.contains("LayerNorm.") })
  }

  @Test func trainableIsSetByName() {
    var table = ParameterTable()
    _ = TextEncoder(EncoderPreset.tiny.configuration(vocabularySize: 10, dropout: 0), in: &table)
    #expect(table.entries.allSatisfy { $0.isTrainable })
    table.setTrainable { $0.hasPrefix("encoder.layer.1.") }
    #expect(table.entries.count { $0.isTrainable } == 16)
  }

  @Test func storeIsZeroAlignedAndCopies() {
    var table = ParameterTable()
    let first = table.declare("a", 3, 5)
    let second = table.declare("b", 7)
    let store = ParameterStore<Float>(table)
    #expect(store.count == 22 && store.values.count == 22)
    #expect(Int(bitPattern: store.base) % 64 == 0)
    #expect(store.values.allSatisfy { $0 == 0 })
    for i in 0..<22 { store.values[i] = Float(i) }
    #expect(store[first][14] == 14 && store[second][0] == 15)
    let copy = ParameterStore<Float>(table)
    copy.copy(from: store)
    store.zero()
    #expect(copy.values[21] == 21)
    #expect(store.values.allSatisfy { $0 == 0 })
  }

  @Test func storeOfNothingIsEmpty() {
    let store = ParameterStore<Double>(ParameterTable())
    store.zero()
    #expect(store.count == 0 && store.values.isEmpty)
  }
}
