import EncoderModel
import Foundation

/// `1_Pooling/config.json`: one switch a mode in sentence-transformers 2 to 5, a name in version 6.
enum PoolingFile {
  static let name = "1_Pooling/config.json"
  private static let switches = [
    "pooling_mode_cls_token", "pooling_mode_mean_tokens", "pooling_mode_max_tokens",
    "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
    "pooling_mode_lasttoken",
  ]

  private struct Contents: Decodable {
    var modes: [String] = []
    let includesPrompt: Bool

    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(_ name: String) { stringValue = name }
      init?(stringValue: String) { self.init(stringValue) }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      includesPrompt = try values.decodeIfPresent(Bool.self, forKey: Key("include_prompt")) ?? true
      let mode = Key("pooling_mode")
      if let name = try? values.decodeIfPresent(String.self, forKey: mode) {
        modes = [name]
      } else if let names = try values.decodeIfPresent([String].self, forKey: mode) {
        modes = names
      } else {
        for name in PoolingFile.switches
        where try values.decodeIfPresent(Bool.self, forKey: Key(name)) ?? false {
          modes.append(name)
        }
        // No switch at all means the mean, as it does there.
        if modes.isEmpty { modes = ["mean"] }
      }
    }
  }

  static func read(_ folder: URL, into settings: inout SentenceSettings) throws {
    let file = folder.appendingPathComponent("config.json")
    let contents = try JSONFile.decode(Contents.self, from: file)
    settings.includesPrompt = contents.includesPrompt
    switch contents.modes {
    case ["cls"], ["pooling_mode_cls_token"]: settings.pooling = .cls
    case ["mean"], ["pooling_mode_mean_tokens"]: settings.pooling = .mean
    case ["max"], ["pooling_mode_max_tokens"]: settings.pooling = .max
    default:
      throw CheckpointError(
        "the pooling \(contents.modes.joined(separator: " + ")) isn't supported", path: file.path,
        advice: "use a model with cls, mean or max pooling")
    }
  }

  static func write(_ settings: SentenceSettings, width: Int, to directory: URL) throws {
    let active =
      switch settings.pooling {
      case .cls: switches[0]
      case .mean: switches[1]
      case .max: switches[2]
      }
    let lines = switches.map { "  \"\($0)\": \($0 == active),\n" }.joined()
    let text = """
      {
        "word_embedding_dimension": \(width),
      \(lines)  "include_prompt": \(settings.includesPrompt)
      }

      """
    try FileSystem.createDirectory(directory.appendingPathComponent("1_Pooling"))
    try TextFile.write(text, name, in: directory)
  }
}
