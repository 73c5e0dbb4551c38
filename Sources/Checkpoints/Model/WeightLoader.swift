import EncoderModel
import Foundation
import Kernels

/// Fills a parameter store from a directory's safetensors files.
///
/// All names and shapes are compared before the store is allocated, so a configuration with absurd
/// sizes fails on the first tensor and not in the allocator. Tensors that aren't asked for (pooler,
/// next-sentence and classification heads, `position_ids`, the tied decoder) are ignored.
struct WeightLoader {
  private let files: TensorFiles
  private let tensors: [[UInt8]: TensorFiles.Entry]
  private let contents: ConfigurationFile.Contents

  init(_ directory: URL, contents: ConfigurationFile.Contents) throws {
    files = try TensorFiles(directory: directory)
    self.contents = contents
    var entries = files.entries
    let head = directory.appendingPathComponent(PretrainedModel.bagOfWordsFile)
    if FileSystem.exists(head) {
      let file = try SafeTensorsFile(head)
      entries += file.tensors.map { TensorFiles.Entry(tensor: $0, file: file) }
    }
    var tensors: [[UInt8]: TensorFiles.Entry] = [:]
    for entry in entries {
      let name = TensorNames.canonical(entry.tensor.name, contents.family)
      guard tensors.updateValue(entry, forKey: Array(name.utf8)) == nil else {
        throw CheckpointError(
          "two tensors stand for \(name)", path: entry.file.url.path, item: entry.tensor.name,
          advice: "export the model again")
      }
    }
    self.tensors = tensors
  }

  private func entry(_ name: String) -> TensorFiles.Entry? {
    guard name == TensorNames.decoderBias else { return tensors[Array(name.utf8)] }
    // An untied decoder computes with its own bias; else old files have one in either place.
    let places = [TensorNames.decoderBias, TensorNames.oldDecoderBias]
    let ordered = contents.tiesWordEmbeddings ? places : places.reversed()
    return ordered.lazy.compactMap { tensors[Array($0.utf8)] }.first
  }

  /// Whether the files hold a masked-token head and a bag-of-words head.
  var storedHeads: HeadSelection {
    var heads: HeadSelection = []
    if entry(TensorNames.maskedTokenPrefix + "transform.dense.weight") != nil {
      heads.insert(.maskedTokens)
    }
    if entry(TensorNames.bagOfWordsPrefix + "dense.weight") != nil { heads.insert(.bagOfWords) }
    return heads
  }

  func load(
    _ plan: PretrainedModel.Plan, seed: UInt64, storage: WeightStorage
  ) throws -> (ParameterStore<Float>, fresh: [String]) {
    var freshPrefixes: [String] = []
    for prefix in [TensorNames.maskedTokenPrefix, TensorNames.bagOfWordsPrefix] {
      let head = plan.table.entries.filter { $0.name.hasPrefix(prefix) }
      if !head.isEmpty, head.allSatisfy({ entry($0.name) == nil }) { freshPrefixes.append(prefix) }
    }
    func isFresh(_ name: String) -> Bool { freshPrefixes.contains { name.hasPrefix($0) } }
    /// DistilBERT has no token types: a table of zeros adds nothing.
    func isZero(_ name: String) -> Bool {
      contents.family == .distilbert && name == TensorNames.tokenTypes
    }
    for parameter in plan.table.entries
    where !isFresh(parameter.name) && !isZero(parameter.name) {
      try checkShape(parameter)
    }
    let weights =
      storage == .mapping ? mappedStore(plan.table) : ParameterStore<Float>(plan.table)
    var generator = SeedGenerator(seed: seed)
    var fresh: [String] = []
    for parameter in plan.table.entries where !isZero(parameter.name) {
      let values = UnsafeMutableBufferPointer(
        start: weights[parameter], count: parameter.count)
      if isFresh(parameter.name) {
        fresh.append(parameter.name)
        initialize(values, parameter, using: &generator)
      } else if let entry = entry(parameter.name) {
        if !weights.isMapped(parameter) { try entry.file.read(entry.tensor, into: values) }
        try checkFinite(values, entry)
      }
    }
    return (weights, fresh)
  }

  /// A store that points into the files wherever they hold what memory would.
  private func mappedStore(_ table: ParameterTable) -> ParameterStore<Float> {
    let mappings = FileMappings()
    for parameter in table.entries {
      if let file = entry(parameter.name)?.file { mappings.add(file) }
    }
    return ParameterStore(
      table, reading: { entry($0.name).flatMap(mappings.floats) }, owner: mappings)
  }

  private func initialize(
    _ values: UnsafeMutableBufferPointer<Float>, _ parameter: Parameter,
    using generator: inout SeedGenerator
  ) {
    if parameter.decays {
      Initialization.fillNormal(
        values, deviation: contents.configuration.initializerRange, using: &generator)
    } else {
      values.update(repeating: parameter.name.hasSuffix("bias") ? 0 : 1)
    }
  }

  private func checkShape(_ parameter: Parameter) throws {
    guard let entry = entry(parameter.name) else {
      throw CheckpointError(
        "the tensor is missing", path: files.path, item: parameter.name,
        advice: "check that config.json belongs to these weights and that this is a BERT encoder")
    }
    guard entry.tensor.shape == parameter.shape else {
      throw CheckpointError(
        "the tensor has shape \(entry.tensor.shape) and config.json asks for \(parameter.shape)",
        path: entry.file.url.path, item: entry.tensor.name,
        advice: "check that config.json belongs to these weights")
    }
  }

  private func checkFinite(
    _ values: UnsafeMutableBufferPointer<Float>, _ entry: TensorFiles.Entry
  ) throws {
    // Integer arithmetic, as a sum of Floats wouldn't be vectorised: a Float isn't finite exactly
    // when all bits of its exponent are set.
    var worst: UInt32 = 0
    for value in values { worst = max(worst, value.bitPattern & 0x7F80_0000) }
    guard worst < 0x7F80_0000 else {
      throw CheckpointError(
        "the tensor holds values that aren't finite", path: entry.file.url.path,
        item: entry.tensor.name, advice: "take an earlier checkpoint; this one's training diverged")
    }
  }
}
