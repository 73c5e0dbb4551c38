import EncoderModel
import Kernels

/// The tensors of an adapter's file by the names that they have in the encoder, each taken once.
struct AdapterTensors {
  let file: SafeTensorsFile
  private var open: [(name: String, tensor: TensorDescription)]
  private(set) var ignored: [String] = []

  /// Strips prefixes, of wrappers and of the classes with a head, from all names.
  ///
  /// - Throws: ``CheckpointError`` when two tensors then have one name.
  init(_ file: SafeTensorsFile, prefixes: [String]) throws {
    self.file = file
    open = []
    var seen: Set<[UInt8]> = []
    for tensor in file.tensors {
      var name = Substring(tensor.name)
      for prefix in prefixes + ["bert."] where name.hasPrefix(prefix) {
        name = name.dropFirst(prefix.count)
      }
      let result = String(name)
      guard seen.insert(Array(result.utf8)).inserted else {
        throw CheckpointError(
          "two tensors stand for \(result)", path: file.url.path, item: tensor.name,
          advice: "save the adapter again")
      }
      if ["classifier.", "pooler.", "cls."].contains(where: { result.hasPrefix($0) }) {
        ignored.append(result)
      } else {
        open.append((result, tensor))
      }
    }
  }

  /// The names that nothing has taken, in file order.
  var names: [String] { open.map(\.name) }

  /// Removes a tensor from those that are left.
  mutating func take(_ name: String) throws -> TensorDescription {
    guard let index = open.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw CheckpointError(
        "the tensor is missing", path: file.url.path, item: name, advice: "save the adapter again")
    }
    return open.remove(at: index).tensor
  }

  /// An error unless every tensor was taken: one that is left would change vectors.
  func finish() throws {
    guard let left = open.first else { return }
    throw CheckpointError(
      "the tensor belongs to no part of this encoder that can be adapted", path: file.url.path,
      item: left.tensor.name, advice: "check that the adapter was made for this model")
  }

  /// Reads a tensor into its place.
  ///
  /// - Throws: ``CheckpointError`` for another shape, and for values that aren't finite.
  func read(
    _ tensor: TensorDescription, into store: ParameterStore<Float>, _ parameter: Parameter
  ) throws {
    guard tensor.shape == parameter.shape else { throw wrongShape(tensor, parameter.shape) }
    let values = UnsafeMutableBufferPointer(start: store[parameter], count: parameter.count)
    try file.read(tensor, into: values)
    guard values.allSatisfy(\.isFinite) else {
      throw CheckpointError(
        "the tensor holds values that aren't finite", path: file.url.path, item: tensor.name,
        advice: "take an earlier checkpoint; this one's training diverged")
    }
  }

  func wrongShape(_ tensor: TensorDescription, _ expected: [Int]) -> CheckpointError {
    CheckpointError(
      "the tensor has shape \(tensor.shape) and this base needs \(expected)",
      path: file.url.path, item: tensor.name,
      advice: "check that the adapter was made for this model")
  }
}
