public import EncoderModel
public import Foundation
public import Kernels

/// Several adapters over one base, chosen by name.
///
///     var adapters = AdapterSet(model)
///     try adapters.load(URL(fileURLWithPath: "adapters/books"), name: "books")
///     let stack = try adapters.stack(named: "books")
public struct AdapterSet: Sendable {
  /// The base, which no adapter changes.
  public let model: PretrainedModel
  private var entries: [(name: String, adapter: AdapterDirectory)] = []

  /// A set without adapters.
  public init(_ model: PretrainedModel) { self.model = model }

  /// The names, in the order of loading.
  public var names: [String] { entries.map(\.name) }

  /// Reads an adapter and adds it; returns its name, the adapter's own unless one is given.
  ///
  /// - Throws: ``CheckpointError`` as ``AdapterDirectory/read(_:model:)``, and for a name that is taken.
  @discardableResult
  public mutating func load(_ directory: URL, name: String? = nil) throws -> String {
    let adapter = try AdapterDirectory.read(directory, model: model)
    let name = name ?? adapter.name
    guard self[name] == nil else {
      throw CheckpointError(
        "there is an adapter of that name already", path: directory.path, item: name,
        advice: "give it another name")
    }
    entries.append((name, adapter))
    return name
  }

  /// The adapter of that name, compared byte by byte.
  public subscript(name: String) -> AdapterDirectory? {
    entries.first { $0.name.utf8.elementsEqual(name.utf8) }?.adapter
  }

  /// The adapter to run, or nil for the base alone.
  ///
  /// - Throws: ``CheckpointError`` that lists the names when there is none of that name.
  public func stack(named name: String?) throws -> AdapterStack<Float>? {
    guard let name else { return nil }
    guard let adapter = self[name] else {
      throw CheckpointError(
        "there is no adapter of that name", path: name,
        advice: names.isEmpty
          ? "load one first" : "there are " + names.joined(separator: ", "))
    }
    return adapter.stack
  }
}
