import EncoderModel
import Foundation
import Tokenization

/// `1_Pooling/config.json`: one switch a mode in sentence-transformers 2 to 5, a name or a list of names in
/// version 6.
enum PoolingFile {
  static let name = "1_Pooling/config.json"
  /// The switches in the order in which the vectors of several modes are concatenated.
  private static let switches: [(key: String, mode: Pooling)] = [
    ("pooling_mode_cls_token", .cls), ("pooling_mode_max_tokens", .max),
    ("pooling_mode_mean_tokens", .mean),
    ("pooling_mode_mean_sqrt_len_tokens", .meanSquareRoot),
    ("pooling_mode_weightedmean_tokens", .weightedMean), ("pooling_mode_lasttoken", .lastToken),
  ]

  static func read(_ folder: URL, into settings: inout SentenceSettings) throws {
    let url = folder.appendingPathComponent("config.json")
    let file = try JSONFile(url)
    settings.includesPrompt = try file.flag("include_prompt") ?? true
    let names = try names(file)
    let modes = names.compactMap(Pooling.init)
    guard modes.count == names.count, !modes.isEmpty else {
      let known = Pooling.allCases.map(\.rawValue).joined(separator: ", ")
      throw CheckpointError(
        "the pooling \(names.joined(separator: " + ")) isn't supported", path: url.path,
        item: "pooling_mode", advice: "use a model that pools by one or more of \(known)")
    }
    settings.pooling = PoolingModes(modes)
  }

  private static func names(_ file: JSONFile) throws -> [String] {
    if file.root["pooling_mode"]?.stringValue == nil, let names = try file.strings("pooling_mode") {
      return names
    }
    if let name = try file.string("pooling_mode") { return [name] }
    let active = try switches.filter { try file.flag($0.key) ?? false }
    // No switch at all means the mean, as it does there.
    return active.isEmpty ? [Pooling.mean.rawValue] : active.map(\.mode.rawValue)
  }

  static func write(_ settings: SentenceSettings, width: Int, to directory: URL) throws {
    let modes = settings.pooling.modes
    let inOrder = switches.map(\.mode).filter(modes.contains)
    var members: [JSONMember]
    if inOrder == modes {
      members = [JSONMember("word_embedding_dimension", .integer(Int64(width)))]
      members += switches.map { JSONMember($0.key, .bool(modes.contains($0.mode))) }
    } else {
      // Switches have no order: only version 6's list of names can say another one.
      members = [
        JSONMember("embedding_dimension", .integer(Int64(width))),
        JSONMember("pooling_mode", .array(modes.map { .string($0.rawValue) })),
      ]
    }
    members.append(JSONMember("include_prompt", .bool(settings.includesPrompt)))
    try FileSystem.createDirectory(directory.appendingPathComponent("1_Pooling"))
    try JSONFile.write(.object(members), name, in: directory)
  }
}
