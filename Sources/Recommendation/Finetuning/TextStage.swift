import Checkpoints
import Datasets
import EncoderModel
import Kernels

/// The first stage: item texts -> token ids, pooled and whitened vectors, words.
struct TextStage {
  let run: Finetuner
  let data: FinetuneData

  init(_ run: Finetuner, _ data: FinetuneData) {
    self.run = run
    self.data = data
  }

  /// The texts in vector form.
  ///
  /// Inputs change when adapters are trained; all else belongs to the base.
  struct Result {
    let sequences: [[Int32]]
    let pooling: TokenPooling
    let raw: DenseMatrix
    let assembly: ItemInputAssembly
    var inputs: DenseMatrix
    let white: DenseMatrix
    let words: TFIDF
    let wordVectors: SparseMatrix
    var adapters: AdapterStack<Float>?
    let tokenCount: Int
    let unknownShare: Double
  }

  func run(warm positives: SparseMatrix) throws -> Result {
    let (model, workers) = (run.model, run.workers)
    let limit = min(run.options.maximumLength, model.sentence.maximumLength)
    let sequences = model.tokenizer.encodeBatch(
      data.items.texts, maximumLength: limit, threads: workers.count)
    let vocabulary = model.tokenizer.vocabulary
    var pooling = TokenPooling(
      sequences: sequences, vocabularySize: model.configuration.vocabularySize,
      isSpecial: { Int($0) < vocabulary.count && vocabulary.isSpecial($0) })
    if run.without.contains(.idfPooling) { pooling = pooling.even }
    let raw = ItemTextEncoder(
      encoder: model.encoder, weights: model.weights, adapters: nil, pooling: pooling
    ).vectors(sequences, workers: workers)
    let counts = positives.columnSums()
    let warm = counts.indices.filter { counts[$0] > 0 }.map { Int32($0) }
    let whitening = try Whitening.fit(raw.selectingRows(warm))
    let assembly = ItemInputAssembly(
      whitening: whitening, rawWidth: raw.columnCount,
      featureWidth: data.itemFeatures?.columnCount ?? 0)
    let inputs = assembly.inputs(raw: raw, features: data.itemFeatures, workers: workers)
    let (words, wordVectors) = try TextStage.words(data.items.texts)
    let tokens = sequences.reduce(0) { $0 + $1.count }
    let unknown = sequences.reduce(0) { sum, sequence in
      sum + sequence.reduce(0) { $0 + ($1 == vocabulary.unknownID ? 1 : 0) }
    }
    return Result(
      sequences: sequences, pooling: pooling, raw: raw, assembly: assembly, inputs: inputs,
      white: assembly.whitened(inputs), words: words, wordVectors: wordVectors, adapters: nil,
      tokenCount: tokens,
      unknownShare: Double(unknown) / Double(max(1, tokens - 2 * sequences.count)))
  }

  /// TF-IDF by words; by character n-grams where the texts have no words that repeat, as in scripts
  /// without spaces.
  static func words(_ texts: [String]) throws -> (TFIDF, SparseMatrix) {
    var characters = TFIDF.Options()
    characters.analysis = .characters(minimum: 2, maximum: 4)
    guard let byWord = try? TFIDF.fit(texts) else {
      let fitted = try TFIDF.fit(texts, options: characters)
      return (fitted.model, fitted.vectors)
    }
    let empty = (0..<texts.count).filter { byWord.vectors.columns(ofRow: $0).isEmpty }.count
    if Double(empty) > 0.3 * Double(texts.count),
      let byCharacter = try? TFIDF.fit(texts, options: characters)
    {
      return (byCharacter.model, byCharacter.vectors)
    }
    return (byWord.model, byWord.vectors)
  }
}
