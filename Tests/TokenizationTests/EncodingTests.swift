import Testing
import Tokenization

/// Ids and normalised text against Hugging Face `tokenizers` (encoding.json).
@Suite struct EncodingTests {
  @Test func idsAndNormalizedTextsAreTheReferences() throws {
    let golden = try GoldenFiles.json("encoding.json")
    let texts = try golden.list("texts").compactMap(\.stringValue)
    let vocabulary = try GoldenFiles.vocabulary()
    for run in try golden.list("runs") {
      let name = try #require(run["name"]?.stringValue)
      let limit = try #require(run["limit"]?.intValue)
      let options = GoldenFiles.options(try #require(run["options"]), limit: limit)
      let tokenizer = Tokenizer(vocabulary: vocabulary, options: options)
      let ids = try run.list("ids")
      let normalized = try run.list("normalized")
      #expect(ids.count == texts.count && normalized.count == texts.count)
      for (index, text) in texts.enumerated() {
        #expect(tokenizer.encode(text) == ids[index].ids, "\(name), \(limit), text \(index)")
        let expected = try #require(normalized[index].stringValue)
        #expect(
          Array(tokenizer.normalize(text).unicodeScalars) == Array(expected.unicodeScalars),
          "\(name), text \(index)")
      }
    }
  }

  @Test(arguments: ["uncased", "cased", "cased, accents stripped", "no cleaning"])
  func everyCodePointIsTreatedAsTheReferenceDoes(name: String) throws {
    let options: TokenizerOptions =
      switch name {
      case "cased": TokenizerOptions(lowercase: false)
      case "cased, accents stripped": TokenizerOptions(lowercase: false, stripAccents: true)
      case "no cleaning": TokenizerOptions(cleanText: false)
      default: TokenizerOptions()
      }
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary(), options: options)
    let digests = try GoldenFiles.json("codepoints.json").list(name)
    #expect(digests.count == 0x110000 / 4096)
    for (block, expected) in digests.enumerated() {
      var digest: UInt64 = 0xCBF2_9CE4_8422_2325
      for code in (block * 4096)..<((block + 1) * 4096) {
        guard let scalar = Unicode.Scalar(UInt32(code)) else { continue }
        for word in tokenizer.words("a\(scalar)b\u{301}") {
          for byte in word.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
          digest = digest &* 0x100_0000_01B3
        }
      }
      let digits = String(digest, radix: 16)
      let padded = String(repeating: "0", count: 16 - digits.count) + digits
      #expect(.string(padded) == expected, "code points from \(String(block * 4096, radix: 16))")
    }
  }

  @Test func truncationIsTheReferences() throws {
    let golden = try GoldenFiles.json("pairs.json")
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    for single in try golden.list("singles") {
      let limit = try #require(single[1]?.intValue)
      let ids = tokenizer.encode(try single.text(0), maximumLength: limit)
      #expect(ids == single[2]?.ids, "limit \(limit)")
    }
    for pair in try golden.list("pairs") {
      let limit = pair[2]?.intValue
      let (ids, types) = tokenizer.encodePair(
        try pair.text(0), try pair.text(1), maximumLength: limit)
      #expect(ids == pair[3]?.ids, "\(limit ?? -1)")
      #expect(types == pair[4]?.ids, "\(limit ?? -1)")
    }
  }

  @Test func lengthsBelowTheSpecialTokensKeepThem() throws {
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    let ends = [tokenizer.vocabulary.classID, tokenizer.vocabulary.separatorID]
    #expect(tokenizer.encode("reads", maximumLength: 0) == ends)
    #expect(tokenizer.encode("reads", addSpecialTokens: false, maximumLength: 0) == [])
    #expect(tokenizer.encodePair("reads", "writes", maximumLength: 1).ids.count == 3)
  }

  @Test func invalidUTF8BecomesReplacementCharacters() throws {
    // Python's bytes.decode("utf-8", "replace") wrote the expected texts.
    let vocabulary = try Vocabulary(
      tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##\u{FFFD}", "\u{FFFD}"])
    let cleaning = Tokenizer(vocabulary: vocabulary)
    let raw = Tokenizer(vocabulary: vocabulary, options: TokenizerOptions(cleanText: false))
    for entry in try #require(GoldenFiles.json("invalid.json").arrayValue) {
      let hex = Array(try entry.text(0).utf8)
      let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
        UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16)
      }
      for tokenizer in [cleaning, raw] {
        var scratch = EncodingScratch()
        var ids: [Int32] = []
        bytes.withUnsafeBufferPointer {
          tokenizer.encode(
            utf8: $0, addSpecialTokens: true, maximumLength: nil, scratch: &scratch, into: &ids)
        }
        #expect(ids == tokenizer.encode(try entry.text(1)), "\(entry)")
      }
    }
    #expect(raw.encode("a\u{FFFD}\u{FFFD}", addSpecialTokens: false) == [5, 6, 6])
  }

  @Test func oneScratchForManyTextsAndTokenizersGivesTheSameIds() throws {
    let golden = try GoldenFiles.json("encoding.json")
    let texts = try golden.list("texts").compactMap(\.stringValue)
    let vocabulary = try GoldenFiles.vocabulary()
    let tokenizers = [true, false].map {
      Tokenizer(vocabulary: vocabulary, options: TokenizerOptions(lowercase: $0))
    }
    var scratch = EncodingScratch()
    for tokenizer in tokenizers + tokenizers {
      // Enough text for the word cache to be in use, and twice for it to be hit.
      for text in Array(repeating: texts, count: 9).joined() {
        var ids: [Int32] = [-1]
        var copy = text
        copy.withUTF8 {
          tokenizer.encode(
            utf8: $0, addSpecialTokens: false, maximumLength: nil, scratch: &scratch, into: &ids)
        }
        #expect(ids == [-1] + tokenizer.encode(text, addSpecialTokens: false))
      }
    }
  }

  @Test func wordsOfAnyLengthSurviveTheCache() throws {
    // Every length around the cache's limits, each twice, at the end of the text too.
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    var scratch = EncodingScratch()
    for round in 0..<200 {
      for length in 1...30 {
        let word = String(repeating: "abcdefgh", count: 5).prefix(length - 1) + "\(round % 2)"
        var text = "reads \(word)"
        var ids: [Int32] = []
        text.withUTF8 {
          tokenizer.encode(
            utf8: $0, addSpecialTokens: true, maximumLength: nil, scratch: &scratch, into: &ids)
        }
        #expect(ids == tokenizer.encode(text))
      }
    }
  }

  @Test(arguments: [1, 2, 3, 64])
  func batchesAreInOrderWhateverTheThreads(threads: Int) throws {
    let golden = try GoldenFiles.json("encoding.json")
    let texts = try golden.list("texts").compactMap(\.stringValue)
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    #expect(tokenizer.encodeBatch(texts, threads: threads) == texts.map { tokenizer.encode($0) })
    let short = tokenizer.encodeBatch(
      texts, addSpecialTokens: false, maximumLength: 3, threads: threads)
    #expect(
      short == texts.map { tokenizer.encode($0, addSpecialTokens: false, maximumLength: 3) })
    #expect(tokenizer.encodeBatch([], threads: threads).isEmpty)
  }

  @Test func longRunsOfCombiningMarksAreOrdered() throws {
    // 100,000 marks of alternating classes: U+0327 (202) goes before U+0301 (230).
    let tokenizer = Tokenizer(
      vocabulary: try GoldenFiles.vocabulary(),
      options: TokenizerOptions(lowercase: false, stripAccents: true))
    let marks = String(repeating: "\u{302E}\u{1D165}", count: 50_000)
    let expected =
      String(repeating: "\u{1D165}", count: 50_000) + String(repeating: "\u{302E}", count: 50_000)
    #expect(
      Array(tokenizer.normalize("a" + marks).unicodeScalars)
        == Array(("a" + expected).unicodeScalars))
  }
}
