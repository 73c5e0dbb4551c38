internal import Kernels

/// Why an adapter can't be folded into weights, or taken out of them.
public struct AdapterMergeError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The message.
  public let description: String
}

extension AdapterStack {
  /// The base's weights with the adapter in them: the encoder alone then computes what it computed with
  /// the adapter.
  ///
  /// - Parameter base: the weights that the adapter was trained over; they stay as they are.
  /// - Throws: ``AdapterMergeError`` for bottlenecks, which add layers of their own.
  public func merged(into base: ParameterStore<S>) throws -> ParameterStore<S> {
    guard !hasBottlenecks else {
      throw AdapterMergeError(
        description: "bottleneck adapters can't be merged into the encoder's weights, as they add "
          + "layers; keep the adapter beside its base, or train one of lora, ia3, bitfit or full")
    }
    let result = ParameterStore<S>(base.table)
    result.copy(from: replacesAll ? weights : base)
    for change in changes { change.apply(to: result, weights) }
    return result
  }

  /// Takes the adapter out of merged weights again, up to rounding.
  ///
  /// - Throws: ``AdapterMergeError`` for bottlenecks, for replaced tensors, whose old values the merged
  ///   weights no longer have, and for factors of 0.
  public func unmerged(from merged: ParameterStore<S>) throws -> ParameterStore<S> {
    guard !hasBottlenecks, !replacesAll else {
      throw AdapterMergeError(
        description: "only low-rank changes and factors can be taken out of merged weights; load "
          + "the base instead")
    }
    let result = ParameterStore<S>(merged.table)
    result.copy(from: merged)
    for change in changes {
      guard change.revert(result, weights) else {
        throw AdapterMergeError(
          description: "the change of \(change.target) can't be taken back, as its old value "
            + "isn't in the merged weights; load the base instead")
      }
    }
    return result
  }
}
