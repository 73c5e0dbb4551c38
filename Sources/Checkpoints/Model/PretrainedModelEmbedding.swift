public import EncoderModel
public import Kernels

extension PretrainedModel {
  /// Turns this model's token sequences into vectors as sentence-transformers does for its directory.
  ///
  /// - Parameters:
  ///   - pooling: instead of the directory's own; then its dense layers are left out too.
  ///   - normalize: instead of the directory's own; true scales what ``SentenceSettings/keptValues`` has
  ///     left once more.
  ///   - keepsAll: whether vectors keep all values, whatever the directory says.
  ///   - adapters: adapters over the encoder's layers.
  public func embedder(
    pooling: PoolingModes? = nil, normalize: Bool? = nil, adapters: AdapterStack<Float>? = nil,
    keepsAll: Bool = false, workers: Workers = Workers(), batchTokens: Int = 2048
  ) -> TextEmbedder {
    TextEmbedder(
      encoder: encoder, weights: weights, adapters: adapters,
      pooling: pooling ?? sentence.pooling,
      projections: pooling == nil ? sentence.projections : [],
      normalize: normalize ?? sentence.normalize, keptValues: keepsAll ? nil : sentence.keptValues,
      normalizesKept: normalize ?? false, workers: workers, batchTokens: batchTokens)
  }

  /// How many tokens of a prompted text are the prompt's: those that pooling leaves out where
  /// ``SentenceSettings/includesPrompt`` is false, [CLS] among them.
  ///
  /// `maximumLength` is that of the texts.
  public func promptTokenCount(_ prompt: String, maximumLength: Int) -> Int {
    if prompt.isEmpty || sentence.includesPrompt { return 0 }
    return tokenizer.encode(prompt, maximumLength: maximumLength).count - 1
  }
}
