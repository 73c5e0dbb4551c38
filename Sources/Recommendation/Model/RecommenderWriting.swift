import Checkpoints
import Datasets
import EncoderModel
public import Foundation
import Kernels

extension Recommender {
  /// Writes the whole model into a directory that is complete or doesn't change: it is staged beside its
  /// place, flushed, and renamed.
  ///
  /// - Parameters:
  ///   - extras: further small files by name, for example the training log.
  ///   - binaries: the same, of bytes.
  ///   - keepsOthers: whether files that aren't the model's own stay in the directory.
  /// - Throws: `CheckpointError` or `DatasetError` when the disk fails.
  public func write(
    to directory: URL, modelCard: String, extras: [(String, String)] = [],
    binaries: [(String, [UInt8])] = [], keepsOthers: Bool = false
  ) throws {
    let target = directory.standardizedFileURL
    let staging = target.deletingLastPathComponent()
      .appendingPathComponent(target.lastPathComponent + ".tmp", isDirectory: true)
    let manager = FileManager.default
    if manager.fileExists(atPath: staging.path) {
      guard RecommenderDirectory.isStaging(staging) else {
        throw CheckpointError(
          "the folder is in the way", path: staging.path, advice: "remove or rename it")
      }
      try? manager.removeItem(at: staging)
    }
    do {
      try manager.createDirectory(at: staging, withIntermediateDirectories: true)
      try writeFiles(to: staging, modelCard: modelCard)
      for (name, text) in extras {
        try AtomicFile.write(text, to: staging.appendingPathComponent(name))
      }
      for (name, bytes) in binaries {
        try AtomicFile.write(bytes, to: staging.appendingPathComponent(name))
      }
      if keepsOthers { try LinkedFiles.carry(from: target, to: staging) }
      try RecommenderDirectory.publish(staging, as: target)
    } catch {
      try? manager.removeItem(at: staging)
      throw error
    }
  }

  private func writeFiles(to folder: URL, modelCard: String) throws {
    try model.write(
      to: folder.appendingPathComponent("base"), product: .encoder,
      modelCard: "The frozen encoder of the model in the folder above.\n")
    let checksum = try RecommenderDirectory.checksum(
      folder.appendingPathComponent("base/model.safetensors"))
    if let adapters {
      // A relative path: the directory is staged under another name, and may be moved later.
      try AdapterDirectory.write(
        adapters, model: model, baseName: "../base", to: RecommenderDirectory.adapter(of: folder),
        modelCard: "The adapter of the model in the folder above, over the encoder in ../base.\n")
    }
    try TrainingState.write(
      models.network.configuration, sections: [.init("towers", models.towers)],
      to: folder.appendingPathComponent("towers.safetensors"))
    var collaborative: [(String, TensorStore.Content)] = [
      ("ease", .sparse(models.ease.weights)), ("als.items", .dense(models.als.itemFactors)),
    ]
    if let ridge = models.ridge {
      collaborative += [
        ("ridge.input_mean", .floats(ridge.inputMean)),
        ("ridge.output_mean", .floats(ridge.outputMean)),
        ("ridge.coefficients", .dense(ridge.coefficients)),
      ]
    }
    try TensorStore.write(
      collaborative, to: folder.appendingPathComponent("collaborative.safetensors"))
    try writeCatalogue(to: folder)
    try writeTables(to: folder)
    try writeSummary(to: folder, checksum: checksum)
    try AtomicFile.write(modelCard, to: folder.appendingPathComponent("README.md"))
  }

  private func writeCatalogue(to folder: URL) throws {
    let whitening = models.assembly.whitening
    var contents: [(String, TensorStore.Content)] = [
      ("raw", .dense(space.raw)), ("counts", .floats(space.counts)),
      ("piece_idf", .floats(pooling.inverseDocumentFrequencies)),
      ("whitening.mean", .floats(whitening.mean)),
      ("whitening.matrix", .dense(whitening.matrix)),
      ("words", .sparse(space.words)), ("word_weights", .floats(models.words.weights)),
      ("item_vectors", .dense(space.towerVectors)),
      ("neighbours.text", .sparse(space.textNeighbours)),
      ("neighbours.words", .sparse(space.wordNeighbours)),
      ("neighbours.cosines", .sparse(space.wordCosines)),
      ("neighbours.kernel", .sparse(space.kernelWeights)),
      ("histories", .sparse(histories)),
    ]
    if let vectorFeatures { contents.append(("vector_features", .dense(vectorFeatures))) }
    if let userFeatures { contents.append(("user_features", .dense(userFeatures))) }
    try TensorStore.write(contents, to: folder.appendingPathComponent("catalogue.safetensors"))
  }

  private func writeTables(to folder: URL) throws {
    try AtomicFile.write(to: folder.appendingPathComponent("items.csv")) { file in
      var csv = CSVWriter(file)
      let columns = items.features?.columns ?? []
      try csv.writeRow(["item_id", "text"] + columns.map(\.name))
      for row in 0..<items.count {
        try csv.writeRow([items.ids[row], items.texts[row]] + columns.map { $0.values[row] })
      }
    }
    try AtomicFile.write(to: folder.appendingPathComponent("users.csv")) { file in
      var csv = CSVWriter(file)
      try csv.writeRow(["user_id"])
      for row in 0..<users.count { try csv.writeRow([users[row]]) }
    }
    try AtomicFile.write(to: folder.appendingPathComponent("words.csv")) { file in
      var csv = CSVWriter(file)
      try csv.writeRow(["term"])
      for term in models.words.terms { try csv.writeRow([term]) }
    }
  }

  private func writeSummary(to folder: URL, checksum: String) throws {
    let summary = RecommenderSummary(
      options: options, rule: rule, tower: models.network.configuration, fusion: fusion,
      calibration: calibration, words: models.words.options, itemSchema: itemSchema,
      userSchema: userSchema, itemVectors: vectorBlocks.isEmpty ? nil : vectorBlocks,
      als: models.als.options, easeKeptShare: models.ease.keptShare,
      easePenalty: models.easePenalty,
      pooledWidth: space.raw.columnCount, baseChecksum: checksum, hasAdapters: adapters != nil,
      metrics: metrics, report: report)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try AtomicFile.write(
      Array(try encoder.encode(summary)),
      to: folder.appendingPathComponent(RecommenderDirectory.summaryName))
  }
}
