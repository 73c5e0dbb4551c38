import Foundation

/// A JSON file of Tests/Goldens/metrics.
func golden<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Goldens/metrics").appendingPathComponent(name)
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// A small generator for random cases (SplitMix64).
struct CaseGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var h = state
    h = (h ^ (h >> 30)) &* 0xBF58_476D_1CE4_E5B9
    h = (h ^ (h >> 27)) &* 0x94D0_49BB_1331_11EB
    return h ^ (h >> 31)
  }
}
