import EncoderModel
import Foundation
import Kernels
import Tokenization

/// A sentence-transformers `Dense` module's folder: `config.json` and `model.safetensors`.
enum DenseFile {
  /// PyTorch's classes and what they compute.
  private static let activations: [(path: String, kind: ActivationKind)] = [
    ("torch.nn.modules.activation.Tanh", .tanh), ("torch.nn.modules.linear.Identity", .identity),
    ("torch.nn.modules.activation.ReLU", .relu), ("torch.nn.modules.activation.GELU", .gelu),
    ("torch.nn.modules.activation.SiLU", .swish),
  ]
  private static let widths = 1...1 << 20

  static func read(_ folder: URL) throws -> VectorProjection {
    let url = folder.appendingPathComponent("config.json")
    let file = try JSONFile(url)
    func refuse(_ what: String, _ key: String, _ advice: String) -> CheckpointError {
      CheckpointError(what, path: url.path, item: key, advice: advice)
    }
    func width(_ key: String) throws -> Int {
      guard let width = try file.integer(key), widths.contains(width) else {
        throw refuse("the width is missing or out of range", key, "correct the file")
      }
      return width
    }
    let (inputs, outputs) = (try width("in_features"), try width("out_features"))
    let name = try file.string("activation_function") ?? "torch.nn.modules.activation.Tanh"
    // The same class also goes by shorter paths, such as torch.nn.Tanh.
    let known = activations.first {
      $0.path.split(separator: ".").last == name.split(separator: ".").last
    }
    guard name.hasPrefix("torch.nn."), let activation = known?.kind else {
      throw refuse(
        "the activation \(name) isn't supported", "activation_function",
        "supported are Tanh, Identity, ReLU, GELU and SiLU of torch.nn")
    }
    for key in ["module_input_name", "module_output_name"] {
      guard try file.string(key) ?? "sentence_embedding" == "sentence_embedding" else {
        throw refuse(
          "a Dense module over something else than the pooled vector isn't supported", key,
          "use a model whose Dense modules come after pooling")
      }
    }
    guard try !(file.flag("use_residual") ?? false) else {
      throw refuse(
        "a Dense module with a residual isn't supported", "use_residual",
        "use a model without it")
    }
    return try weights(
      folder, inputs: inputs, outputs: outputs, hasBias: try file.flag("bias") ?? true, activation)
  }

  private static func weights(
    _ folder: URL, inputs: Int, outputs: Int, hasBias: Bool, _ activation: ActivationKind
  ) throws -> VectorProjection {
    let file = try SafeTensorsFile(try TensorFiles.single(folder))
    func tensor(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard let tensor = file[name], tensor.shape == shape else {
        throw CheckpointError(
          "there is no tensor of shape \(shape)", path: file.url.path, item: name,
          advice: "check that config.json belongs to these weights")
      }
      let values = try file.floats(name)
      guard values.allSatisfy(\.isFinite) else {
        throw CheckpointError(
          "the tensor holds values that aren't finite", path: file.url.path, item: name,
          advice: "take an earlier checkpoint; this one's training diverged")
      }
      return values
    }
    return VectorProjection(
      inputs: inputs, outputs: outputs,
      weight: try tensor("linear.weight", [outputs, inputs]),
      bias: hasBias ? try tensor("linear.bias", [outputs]) : nil, activation: activation)
  }

  /// Writes one layer and returns the names of its files.
  static func write(
    _ layer: VectorProjection, folder: String, type: TensorType, to directory: URL
  ) throws -> [String] {
    guard let path = activations.first(where: { $0.kind == layer.activation })?.path else {
      throw CheckpointError(
        "sentence-transformers has no name for the activation \(layer.activation)",
        path: directory.appendingPathComponent(folder).path, advice: "use another one")
    }
    try FileSystem.createDirectory(directory.appendingPathComponent(folder))
    let config: JSONValue = [
      "in_features": .integer(Int64(layer.inputs)),
      "out_features": .integer(Int64(layer.outputs)), "bias": .bool(layer.bias != nil),
      "activation_function": .string(path),
    ]
    try JSONFile.write(config, "\(folder)/config.json", in: directory)
    var tensors: [(SafeTensorsWriter.Declaration, [Float])] = []
    if let bias = layer.bias {
      tensors.append((.init("linear.bias", shape: [layer.outputs], type: type), bias))
    }
    tensors.append(
      (.init("linear.weight", shape: [layer.outputs, layer.inputs], type: type), layer.weight))
    let name = "\(folder)/model.safetensors"
    let writer = try SafeTensorsWriter(
      directory.appendingPathComponent(name), tensors: tensors.map(\.0),
      metadata: [("format", "pt")])
    for (_, values) in tensors { try values.withUnsafeBufferPointer { try writer.append($0) } }
    try writer.finish()
    return ["\(folder)/config.json", name]
  }
}
