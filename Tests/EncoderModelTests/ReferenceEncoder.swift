import EncoderModel
import Foundation
import Kernels

/// The encoder once more, slow and plain: one sequence, one row and one number at a time.
///
/// It shares nothing with the model but the weights and the dropout masks of the plan, and says where
/// dropout belongs: after the embeddings, on the probabilities, and after both output projections
/// with their biases, as in Hugging Face's BertModel.
struct ReferenceEncoder {
  let weights: ParameterStore<Double>
  let adapters: ParameterStore<Double>?
  let configuration: EncoderConfiguration
  let plan: DropoutPlan?

  typealias Rows = [[Double]]

  func run(_ batch: PackedBatch) -> [Double] {
    func table(_ name: String) -> Rows { rows("embeddings.\(name)_embeddings.weight") }
    let (word, position, type) = (table("word"), table("position"), table("token_type"))
    var x = batch.ids.indices.map { token in
      let kind = Int(batch.typeIDs?[token] ?? 0)
      return added(
        added(word[Int(batch.ids[token])], position[Int(batch.positions[token])]), type[kind])
    }
    x = dropped(normalized(x, "embeddings.LayerNorm"), .embeddings, layer: 0)
    for layer in 0..<configuration.layerCount {
      let scope = "encoder.layer.\(layer)"
      let attended = dropped(
        linear(attention(x, batch, layer), scope + ".attention.output.dense"), .attentionOutput,
        layer: layer)
      x = normalized(sum(x, attended), scope + ".attention.output.LayerNorm")
      let inner = linear(x, scope + ".intermediate.dense").map { $0.map(gelu) }
      let fed = dropped(
        linear(inner, scope + ".output.dense"), .feedForwardOutput, layer: layer)
      x = adapted(sum(x, fed), layer, norm: scope + ".output.LayerNorm")
    }
    return x.flatMap { $0 }
  }

  /// Adapter: LN(s + up(relu(down(LN(s))))); without one: LN(s).
  private func adapted(_ s: Rows, _ layer: Int, norm: String) -> Rows {
    let once = normalized(s, norm)
    guard let adapters else { return once }
    let scope = "encoder.layer.\(layer).output.adapters.item"
    let down = linear(once, scope + ".adapter_down.0", adapters).map { $0.map { max($0, 0) } }
    return normalized(sum(s, linear(down, scope + ".adapter_up", adapters)), norm)
  }

  private func attention(_ x: Rows, _ batch: PackedBatch, _ layer: Int) -> Rows {
    let scope = "encoder.layer.\(layer).attention.self."
    let (q, k, v) = (
      linear(x, scope + "query"), linear(x, scope + "key"), linear(x, scope + "value")
    )
    let size = configuration.headSize
    var context = x.map { $0.map { _ in 0.0 } }
    // The mask's element numbers follow the probabilities of all sequences and heads in a row.
    var probabilities: [Double] = []
    var places: [(query: Int, key: Int, head: Int)] = []
    for s in 0..<batch.sequenceCount {
      let tokens = Int(batch.offsets[s])..<Int(batch.offsets[s + 1])
      for head in 0..<configuration.headCount {
        let columns = (head * size)..<((head + 1) * size)
        for i in tokens {
          let scores = tokens.map { j in
            columns.reduce(0) { $0 + q[i][$1] * k[j][$1] } / Double(size).squareRoot()
          }
          let total = scores.reduce(0) { $0 + exp($1) }
          probabilities += scores.map { exp($0) / total }
          places += tokens.map { (i, $0, head) }
        }
      }
    }
    plan?.dropout(.attentionProbabilities, layer: layer)?.apply(
      &probabilities, count: probabilities.count)
    for (p, place) in zip(probabilities, places) {
      for d in (place.head * size)..<((place.head + 1) * size) {
        context[place.query][d] += p * v[place.key][d]
      }
    }
    return context
  }

  private func dropped(_ x: Rows, _ site: DropoutPlan.Site, layer: Int) -> Rows {
    guard let dropout = plan?.dropout(site, layer: layer), let width = x.first?.count else {
      return x
    }
    var flat = x.flatMap { $0 }
    dropout.apply(&flat, count: flat.count)
    return x.indices.map { Array(flat[($0 * width)..<(($0 + 1) * width)]) }
  }

  private func linear(
    _ x: Rows, _ name: String, _ store: ParameterStore<Double>? = nil
  ) -> Rows {
    let (weight, bias) = (rows(name + ".weight", store), rows(name + ".bias", store)[0])
    return x.map { row in
      weight.indices.map { out in zip(weight[out], row).reduce(bias[out]) { $0 + $1.0 * $1.1 } }
    }
  }

  private func normalized(_ x: Rows, _ name: String) -> Rows {
    let (weight, bias) = (rows(name + ".weight")[0], rows(name + ".bias")[0])
    return x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      let scale = 1 / (variance + configuration.layerNormEpsilon).squareRoot()
      return row.indices.map { (row[$0] - mean) * scale * weight[$0] + bias[$0] }
    }
  }

  private func gelu(_ x: Double) -> Double { x * 0.5 * (1 + erf(x / 2.0.squareRoot())) }
  private func added(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
  private func sum(_ a: Rows, _ b: Rows) -> Rows { zip(a, b).map(added) }

  /// A tensor as rows; a vector is one row, and a name that doesn't exist has none.
  private func rows(_ name: String, _ store: ParameterStore<Double>? = nil) -> Rows {
    let store = store ?? weights
    guard let entry = store.table[name], let width = entry.shape.last else { return [] }
    let values = store.array(entry)
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<($0 + width)]) }
  }
}
