import Checkpoints
import Datasets
import EncoderModel
import Tokenization
import Training

/// Made-up texts with structure to learn: a noun decides the adjective before it and the verb behind it.
enum SmallCorpus {
  static let nouns = ["cat", "dog", "fish", "bird", "horse", "cow", "duck", "goat"]
  static let adjectives = ["black", "brown", "silver", "small", "fast", "calm", "white", "wild"]
  static let verbs = ["sleeps", "barks", "swims", "sings", "runs", "grazes", "dives", "climbs"]
  static let pieces = ["the", "and", "a"] + nouns + adjectives + verbs

  /// `count` different sentences of one to three clauses.
  static func texts(_ count: Int, seed: UInt64 = 1) -> [String] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      (0...generator.uniform(below: 3)).map { _ in
        let kind = generator.uniform(below: nouns.count)
        return "the \(adjectives[kind]) \(nouns[kind]) \(verbs[kind])"
      }.joined(separator: " and ")
    }
  }

  /// `count` texts of 24 words, each about one noun: what a half of one says tells what the other is about.
  static func topics(_ count: Int) -> [String] {
    var generator = SeededGenerator(seed: 4)
    return (0..<count).map { index in
      let kind = index % nouns.count
      let words = ["the", "and", "a", nouns[kind], adjectives[kind], verbs[kind]]
      return (0..<24).map { _ in words[generator.uniform(below: words.count)] }
        .joined(separator: " ")
    }
  }

  static func tokenizer(_ words: [String] = pieces) throws -> Tokenizer {
    Tokenizer(vocabulary: try Vocabulary(tokens: SpecialTokens().all + words))
  }

  static func corpus(
    _ texts: [String], words: [String] = pieces, maximumLength: Int = 16
  ) throws -> TokenizedCorpus {
    var builder = try TokenizedCorpusBuilder(
      tokenizer: try tokenizer(words), maximumLength: maximumLength, threads: 1)
    try builder.append(texts)
    return try builder.finish(source: "texts.txt")
  }

  /// One layer of width 16 with both heads.
  static func model(
    _ tokenizer: Tokenizer, dropout: Double = 0, positions: Int = 32, seed: UInt64 = 3
  ) throws -> PretrainedModel {
    try PretrainedModel.create(
      configuration: EncoderConfiguration(
        vocabularySize: tokenizer.vocabulary.count, hiddenSize: 16, layerCount: 1, headCount: 2,
        intermediateSize: 32, hiddenDropout: dropout, attentionDropout: dropout,
        maximumPositions: positions),
      tokenizer: tokenizer, seed: seed)
  }
}
