/// One named tensor inside the contiguous parameter buffer.
public struct Parameter: Sendable, Equatable {
  /// The Hugging Face key, for example `encoder.layer.3.attention.self.query.weight`.
  public let name: String
  /// The shape, outermost dimension first; a PyTorch Linear weight is [out, in].
  public let shape: [Int]
  /// Position of the first element in the buffer.
  public let offset: Int
  /// Whether the optimizer updates it.
  public var isTrainable: Bool

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// The elements' place in the buffer.
  public var range: Range<Int> { offset..<(offset + count) }
  /// Whether weight decay applies: not to biases and LayerNorm, by name, as BERT's own trainer does, nor
  /// to factors, whose neutral value is 1.
  public var decays: Bool {
    !name.hasSuffix("bias") && !name.contains("LayerNorm") && !name.hasSuffix("ia3_l")
  }
}

/// The ordered table of all parameters: creation order is memory order and file order.
///
/// Zeroing, clipping, AdamW, saving, freezing and reduction are each one loop over this table.
public struct ParameterTable: Sendable {
  /// The entries in memory order.
  public private(set) var entries: [Parameter] = []
  /// Elements that a layer reads as one tensor although they are several entries in a row.
  public private(set) var joined: [Range<Int>] = []
  private var index: [String: Int] = [:]

  /// Creates an empty table.
  public init() {}

  /// Number of elements in the buffer.
  public var elementCount: Int { entries.last.map { $0.offset + $0.count } ?? 0 }

  /// Appends a tensor and returns it.
  ///
  /// The name must be new.
  @discardableResult
  public mutating func add(_ name: String, _ shape: [Int]) -> Parameter {
    precondition(index[name] == nil, "parameter \(name) is declared twice")
    let entry = Parameter(name: name, shape: shape, offset: elementCount, isTrainable: true)
    index[name] = entries.count
    entries.append(entry)
    return entry
  }

  /// Marks a range of neighbouring entries as one tensor to its readers; stores keep it in one piece.
  mutating func join(_ range: Range<Int>) { joined.append(range) }

  /// The entry of that name, if there is one.
  public subscript(name: String) -> Parameter? { index[name].map { entries[$0] } }

  /// Sets ``Parameter/isTrainable`` of every entry by a rule on its name.
  public mutating func setTrainable(_ rule: (String) -> Bool) {
    for i in entries.indices { entries[i].isTrainable = rule(entries[i].name) }
  }
}
