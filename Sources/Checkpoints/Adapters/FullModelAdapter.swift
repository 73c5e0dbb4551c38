import EncoderModel
import Foundation
import Kernels

/// Full fine-tuning's result: a model directory whose weights remember the base that they came from.
enum FullModelAdapter {
  static func read(_ directory: URL, model: PretrainedModel) throws -> AdapterDirectory {
    let url = directory.appendingPathComponent(DirectoryStaging.weights)
    guard FileSystem.exists(url) else {
      throw CheckpointError(
        "the folder holds no adapter", path: directory.path,
        advice: "give a folder with \(AdapterDirectory.configName)")
    }
    guard let checksum = try SafeTensorsFile(url).metadataValue(AdapterDirectory.checksumKey) else {
      throw CheckpointError(
        "this is a model of its own and no adapter", path: directory.path,
        advice: "use it as the model instead")
    }
    try AdapterDirectory.check(checksum, model, path: url.path)
    let tuned = try PretrainedModel.load(from: directory)
    guard tuned.configuration == model.configuration, tuned.weights.count <= model.weights.count
    else {
      throw CheckpointError(
        "the sizes aren't those of the base", path: directory.path,
        advice: "name the model that it was trained over")
    }
    // The base may have heads behind the encoder's tensors; they stay the base's.
    let weights = ParameterStore<Float>(model.weights.table)
    weights.copy(from: model.weights)
    weights.base.update(from: tuned.weights.base, count: tuned.weights.count)
    return AdapterDirectory(
      name: directory.lastPathComponent, format: .model,
      stack: AdapterStack(replacing: model.weights, weights: weights, encoder: model.encoder),
      baseChecksum: checksum, ignoredTensors: [])
  }

  static func write(
    _ stack: AdapterStack<Float>, model: PretrainedModel, to directory: URL, modelCard: String
  ) throws {
    try model.write(
      to: directory, product: .encoder, weights: stack.weights, modelCard: modelCard,
      metadata: [(AdapterDirectory.checksumKey, model.weightsChecksum)])
  }
}
