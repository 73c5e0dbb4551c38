internal import Kernels

extension AdapterStack {
  /// Declares a recipe's adapter over an encoder and draws its starting values: it changes nothing yet.
  ///
  /// nil for ``AdapterKind/none``.
  public init?(
    _ recipe: AdapterRecipe, encoder: TextEncoder, base: ParameterStore<S>,
    using generator: inout some RandomNumberGenerator
  ) {
    let count = encoder.layers.count
    let layers = max(0, count - recipe.layers)..<count
    switch recipe.kind {
    case .none: return nil
    case .bottleneck, .houlsby, .parallel:
      self.init(bottlenecks: recipe, layers: layers, encoder: encoder)
    case .full:
      let weights = ParameterStore<S>(base.table)
      self.init(replacing: base, weights: weights, encoder: encoder)
    case .lora, .ia3, .bitfit:
      var table = ParameterTable()
      let changes = AdapterStack.changes(recipe, layers: layers, base: base.table, in: &table)
      self.init(
        changes: changes, weights: ParameterStore<S>(table), encoder: encoder, base: base)
    }
    initialize(using: &generator)
  }

  private init(bottlenecks recipe: AdapterRecipe, layers: Range<Int>, encoder: TextEncoder) {
    var table = ParameterTable()
    func list(
      _ design: BottleneckAdapter.Design, _ site: BottleneckAdapter.Site
    ) -> [BottleneckAdapter?] {
      (0..<encoder.layers.count).map { layer in
        guard layers.contains(layer) else { return nil }
        return BottleneckAdapter(
          name: recipe.name, layer: layer, width: encoder.configuration.hiddenSize,
          bottleneck: recipe.bottleneck, design: design, site: site, in: &table)
      }
    }
    let attention = recipe.kind == .houlsby ? list(.houlsby, .attention) : []
    let design: BottleneckAdapter.Design =
      switch recipe.kind {
      case .houlsby: .houlsby
      case .parallel: .parallel
      default: .pfeiffer
      }
    let feedForward = list(design, .feedForward)
    self.init(
      adapters: feedForward, attentionAdapters: attention, weights: ParameterStore<S>(table))
  }

  private static func changes(
    _ recipe: AdapterRecipe, layers: Range<Int>, base: ParameterTable,
    in table: inout ParameterTable
  ) -> [WeightChange] {
    var result: [WeightChange] = []
    for layer in layers {
      let scope = "encoder.layer.\(layer)"
      switch recipe.kind {
      case .lora:
        result += ["query", "value"].compactMap {
          WeightChange.lowRank(
            "\(scope).attention.self.\($0)", rank: recipe.rank,
            scale: recipe.alpha / Double(recipe.rank), base: base, in: &table)
        }
      case .ia3:
        result += ["attention.self.key", "attention.self.value", "output.dense"].compactMap {
          WeightChange.factors(
            "\(scope).\($0)", ofInputs: $0 == "output.dense", base: base, in: &table)
        }
      default:
        // With every layer the embeddings' bias learns too, as "all biases" says.
        let scopes = layer == 0 ? ["embeddings.", "\(scope)."] : ["\(scope)."]
        for entry in base.entries
        where entry.name.hasSuffix(".bias") && scopes.contains(where: entry.name.hasPrefix) {
          if let change = WeightChange.replacement(entry.name, base: base, in: &table) {
            result.append(change)
          }
        }
      }
    }
    return result
  }

  /// Draws starting values with which the adapter changes nothing.
  public func initialize(using generator: inout some RandomNumberGenerator) {
    for adapter in attentionAdapters + adapters {
      adapter?.initialize(weights, using: &generator)
    }
    guard let base else { return }
    if replacesAll { weights.copy(from: base) }
    for change in changes { change.initialize(weights, base: base, using: &generator) }
    refresh()
  }
}
