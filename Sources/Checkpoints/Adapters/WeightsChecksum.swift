import EncoderModel
import Kernels

extension PretrainedModel {
  /// Tells an encoder's weights from others': the same for every file and format that holds them, heads
  /// left out.
  ///
  /// 64 bits of SplitMix64's finalizer over names and values; it isn't for security.
  public var weightsChecksum: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ value: UInt64) {
      var z = hash ^ value
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      hash = (z ^ (z >> 31)) &+ 0x9E37_79B9_7F4A_7C15
    }
    for entry in weights.table.entries where !TensorNames.belongsToHead(entry.name) {
      for byte in entry.name.utf8 { mix(UInt64(byte)) }
      mix(UInt64(entry.count))
      let values = weights[entry]
      for i in stride(from: 0, to: entry.count - 1, by: 2) {
        mix(UInt64(values[i].bitPattern) << 32 | UInt64(values[i + 1].bitPattern))
      }
      if entry.count % 2 == 1 { mix(UInt64(values[entry.count - 1].bitPattern)) }
    }
    let text = String(hash, radix: 16)
    return "weights64:" + String(repeating: "0", count: 16 - text.count) + text
  }
}
