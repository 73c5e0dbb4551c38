import Foundation

/// The tiny models that `Tests/Goldens/checkpoints/generate.py` wrote, and what they give.
struct Goldens: Decodable {
  struct Model: Decodable {
    let ids: [[Int32]]
    let vectors: [Float]
    let queryVectors: [Float]?
    let maskedIDs: [Int32]?
    let maskedPositions: [Int32]?
    let hidden: [Float]?
    let logits: [Float]?
  }

  let texts: [String]
  let mlm: Model
  let st6: Model
  let legacy: Model

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Goldens/checkpoints")

  static func load() throws -> Goldens {
    try JSONDecoder().decode(
      Goldens.self, from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
  }

  static func directory(_ name: String) -> URL { folder.appendingPathComponent(name) }
}
