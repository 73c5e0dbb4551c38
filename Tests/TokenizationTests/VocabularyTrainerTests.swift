import Testing
import Tokenization

@Suite struct VocabularyTrainerTests {
  private static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  /// The texts of encoding.json, in many scripts.
  private func texts() throws -> [String] {
    try GoldenFiles.json("encoding.json").list("texts").compactMap(\.stringValue)
  }

  private func tokens(_ vocabulary: Vocabulary) -> [String] {
    (0..<Int32(vocabulary.count)).map { vocabulary.token($0) }
  }

  @Test func piecesAreTheReferencesWhereItHasNoTies() throws {
    let golden = try GoldenFiles.json("training.json")
    let size = try #require(golden["size"]?.intValue)
    let lines = try #require(golden["weights"]?.objectValue).map { member in
      Array(repeating: member.key, count: member.value.intValue ?? 0).joined(separator: " ")
    }
    let trained = try VocabularyTrainer(size: size).train(texts: lines)
    let expected = try golden.list("tokens").compactMap(\.stringValue)
    #expect(Set(tokens(trained.vocabulary)) == Set(expected))
    #expect(trained.vocabulary.count == expected.count)
  }

  /// The same training without any cleverness: all pairs are counted anew before each merge.
  private func slowTraining(_ words: [String: Int], size: Int) -> [String] {
    var tokens = VocabularyTrainerTests.special
    let all = words.keys.map { Array($0.unicodeScalars) }
    let first = Set(all.joined()).sorted().map { String($0) }
    let inner = Set(all.flatMap { $0.dropFirst() }).sorted().map { "##\($0)" }
    tokens += first + inner
    var ids: [String: Int] = [:]
    for (id, token) in tokens.enumerated() { ids[token] = id }
    var rows = words.map { word, count in
      (
        pieces: word.unicodeScalars.enumerated().compactMap { ids[$0 == 0 ? "\($1)" : "##\($1)"] },
        count: count
      )
    }
    while tokens.count < size {
      var counts: [[Int]: Int] = [:]
      for row in rows {
        for pair in zip(row.pieces, row.pieces.dropFirst()) {
          counts[[pair.0, pair.1], default: 0] += row.count
        }
      }
      let best = counts.min {
        $0.value != $1.value
          ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
      }
      guard let pair = best?.key, let count = best?.value, count >= 2 else { break }
      // Scalars: a mark after ## would make one Character with the #.
      let merged = tokens[pair[0]] + String(tokens[pair[1]].unicodeScalars.dropFirst(2))
      let id = ids[merged] ?? tokens.count
      if id == tokens.count {
        tokens.append(merged)
        ids[merged] = id
      }
      for index in rows.indices {
        var pieces: [Int] = []
        var rest = rows[index].pieces[...]
        while let piece = rest.popFirst() {
          if piece == pair[0], rest.first == pair[1] {
            rest.removeFirst()
            pieces.append(id)
          } else {
            pieces.append(piece)
          }
        }
        rows[index].pieces = pieces
      }
    }
    return tokens
  }

  @Test(arguments: [200, 420, 500, 2000])
  func mergesAreThoseOfASlowTrainer(size: Int) throws {
    let texts = Array(try texts().prefix(14))
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    var words: [String: Int] = [:]
    for text in texts { for word in tokenizer.words(text) { words[word, default: 0] += 1 } }
    let slow = slowTraining(words, size: size)
    let trained = try VocabularyTrainer(size: max(size, slow.count)).train(texts: texts)
    #expect(tokens(trained.vocabulary) == slow)
    #expect(trained.wordCount == Int64(words.values.reduce(0, +)))
    #expect(trained.distinctWordCount == words.count)
    #expect(trained.requestedSize == max(size, slow.count))
  }

  @Test(arguments: [2, 3, 7])
  func threadsAndBatchesDontChangeTheResult(threads: Int) throws {
    let texts = try texts()
    let trainer = VocabularyTrainer(size: 450)
    let whole = try trainer.train(texts: texts)
    var rest = texts[...]
    let parts = try trainer.train(threads: threads) {
      rest.popFirst().map { Array(($0 + "\n").utf8) }
    }
    #expect(parts.vocabulary == whole.vocabulary)
    #expect(parts.wordCount == whole.wordCount)
  }

  @Test func aTextMayOfferFewerPiecesThanAskedFor() throws {
    // By hand: a, b, ##a, ##b, then "ab" twice; "ba" once only.
    let trained = try VocabularyTrainer(size: 100).train(texts: ["ab ab", "ba"])
    #expect(
      tokens(trained.vocabulary)
        == VocabularyTrainerTests.special + ["a", "b", "##a", "##b", "ab"])
    #expect(trained.mergeCount == 1)
    #expect(trained.wordCount == 3 && trained.distinctWordCount == 2)
    #expect(trained.characterCount == 2 && trained.droppedCharacterCount == 0)
  }

  @Test func theMinimumFrequencyCounts() throws {
    let trained = try VocabularyTrainer(size: 100, minimumFrequency: 1).train(texts: [
      "ab ab", "ba",
    ])
    #expect(tokens(trained.vocabulary).suffix(2) == ["ab", "ba"])
    let none = try VocabularyTrainer(size: 100, minimumFrequency: 3).train(texts: ["ab ab", "ba"])
    #expect(none.mergeCount == 0)
  }

  @Test func rareCharactersGiveWay() throws {
    // Room for two pieces beside the special ones; a is the most frequent character.
    let texts = ["aa a a b", "c"]
    let tight = try VocabularyTrainer(size: 7).train(texts: texts)
    #expect(tokens(tight.vocabulary).suffix(2) == ["a", "##a"])
    #expect(tight.droppedCharacterCount == 2)
    let limited = try VocabularyTrainer(size: 50, alphabetLimit: 2).train(texts: texts)
    #expect(tokens(limited.vocabulary).dropFirst(5) == ["a", "b", "##a"])
  }

  @Test func caseIsKeptOnRequest() throws {
    let options = TokenizerOptions(lowercase: false)
    let trained = try VocabularyTrainer(size: 50, options: options).train(texts: ["Äb Äb"])
    #expect(tokens(trained.vocabulary).dropFirst(5) == ["b", "Ä", "##b", "Äb"])
  }

  @Test func impossibleTrainingsSayWhy() {
    #expect(throws: TokenizationError.self) { try VocabularyTrainer(size: 6).train(texts: ["a"]) }
    #expect(throws: TokenizationError.self) {
      try VocabularyTrainer(size: 100).train(texts: [" \t", ""])
    }
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      try VocabularyTrainer(size: 100).train(threads: 2) { throw Broken() }
    }
  }
}
