import EncoderModel
import Foundation
import Tokenization

/// `1_Pooling/config.json`: one switch a mode in sentence-transformers 2 to 5, a name in version 6.
enum PoolingFile {
  static let name = "1_Pooling/config.json"
  private static let switches = [
    "pooling_mode_cls_token", "pooling_mode_mean_tokens", "pooling_mode_max_tokens",
    "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
    "pooling_mode_lasttoken",
  ]

  static func read(_ folder: URL, into settings: inout SentenceSettings) throws {
    let url = folder.appendingPathComponent("config.json")
    let file = try JSONFile(url)
    settings.includesPrompt = try file.flag("include_prompt") ?? true
    let modes = try modes(file)
    switch modes {
    case ["cls"], ["pooling_mode_cls_token"]: settings.pooling = .cls
    case ["mean"], ["pooling_mode_mean_tokens"]: settings.pooling = .mean
    case ["max"], ["pooling_mode_max_tokens"]: settings.pooling = .max
    default:
      throw CheckpointError(
        "the pooling \(modes.joined(separator: " + ")) isn't supported", path: url.path,
        advice: "use a model with cls, mean or max pooling")
    }
  }

  private static func modes(_ file: JSONFile) throws -> [String] {
    if file.root["pooling_mode"]?.stringValue == nil, let names = try file.strings("pooling_mode") {
      return names
    }
    if let name = try file.string("pooling_mode") { return [name] }
    let active = try switches.filter { try file.flag($0) ?? false }
    // No switch at all means the mean, as it does there.
    return active.isEmpty ? ["mean"] : active
  }

  static func write(_ settings: SentenceSettings, width: Int, to directory: URL) throws {
    let active =
      switch settings.pooling {
      case .cls: switches[0]
      case .mean: switches[1]
      case .max: switches[2]
      }
    var members = [JSONMember("word_embedding_dimension", .integer(Int64(width)))]
    members += switches.map { JSONMember($0, .bool($0 == active)) }
    members.append(JSONMember("include_prompt", .bool(settings.includesPrompt)))
    try FileSystem.createDirectory(directory.appendingPathComponent("1_Pooling"))
    try JSONFile.write(.object(members), name, in: directory)
  }
}
