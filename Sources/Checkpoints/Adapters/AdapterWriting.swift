public import EncoderModel
public import Foundation
public import Kernels
import Tokenization

extension AdapterDirectory {
  /// The layout that suits an adapter best: PEFT for changes of weights, AdapterHub for bottlenecks.
  public static func format(of stack: AdapterStack<Float>) -> AdapterFormat {
    stack.replacesAll ? .model : stack.hasBottlenecks ? .adapterHub : .peft
  }

  /// Writes an adapter so that the format's own library loads it, with the base's checksum in the
  /// weights' `__metadata__`.
  ///
  /// The weights are written last and never stay without their configuration.
  ///
  /// - Parameters:
  ///   - name: the adapter's name inside AdapterHub's files.
  ///   - format: the layout; by default the one that suits.
  ///   - baseName: what PEFT's `base_model_name_or_path` says: a path, relative to where it will be loaded
  ///     from, or a name.
  /// - Throws: ``CheckpointError`` when the format can't express the adapter, or the disk fails.
  public static func write(
    _ stack: AdapterStack<Float>, name: String = "item", format: AdapterFormat? = nil,
    model: PretrainedModel, baseName: String? = nil, to directory: URL, modelCard: String = ""
  ) throws {
    let format = format ?? AdapterDirectory.format(of: stack)
    let config: JSONValue
    let file: String
    let tensors: [OutgoingTensor]
    switch format {
    case .model:
      guard stack.replacesAll else {
        throw inexpressible("only full fine-tuning gives a whole model", format, directory)
      }
      return try FullModelAdapter.write(stack, model: model, to: directory, modelCard: modelCard)
    case .adapterHub:
      let writer = AdapterHubWriter(
        stack: stack, name: name, configuration: model.configuration, place: directory)
      (config, tensors) = try writer.contents()
      file = AdapterHubReader.weightsName
    case .peft:
      let writer = PEFTWriter(stack: stack, baseName: baseName, place: directory)
      (config, tensors) = try writer.contents(model.weights)
      file = PEFTReader.weightsName
    }
    try FileSystem.createDirectory(directory)
    let weights = directory.appendingPathComponent(file)
    for old in [AdapterHubReader.weightsName, PEFTReader.weightsName] {
      unlink(directory.appendingPathComponent(old).path)
    }
    try JSONFile.write(config, configName, in: directory)
    if !modelCard.isEmpty {
      try FileContents.save(
        Array(modelCard.utf8), to: directory.appendingPathComponent("README.md"))
    }
    let writer = try SafeTensorsWriter(
      weights, tensors: tensors.map { .init($0.name, shape: $0.shape) },
      metadata: [("format", "pt"), (checksumKey, model.weightsChecksum)])
    for tensor in tensors { try tensor.values.withUnsafeBufferPointer { try writer.append($0) } }
    try writer.finish()
  }

  static func inexpressible(
    _ what: String, _ format: AdapterFormat, _ directory: URL
  ) -> CheckpointError {
    CheckpointError(
      what, path: directory.path, item: format.rawValue, advice: "choose another format")
  }
}

/// A tensor on its way into a file.
struct OutgoingTensor {
  let name: String
  let shape: [Int]
  let values: [Float]

  init(_ name: String, shape: [Int], _ values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }

  init(_ name: String, shape: [Int], _ handle: TensorHandle, _ store: ParameterStore<Float>) {
    self.init(
      name, shape: shape,
      Array(UnsafeBufferPointer(start: store[handle], count: handle.count)))
  }
}
