import Testing
import Tokenization

/// Text from ids against `tokenizers` (decoding.json).
@Suite struct DecodingTests {
  @Test func textsAreTheReferences() throws {
    let directory = try TemporaryDirectory()
    let clean = try Tokenizer.load(tokenizerJSON: GoldenFiles.url("tokenizer.json"))
    let text = String(decoding: try GoldenFiles.bytes("tokenizer.json"), as: UTF8.self)
    let plain = try Tokenizer.load(
      tokenizerJSON: directory.write(
        text.replacing("\"cleanup\": true", with: "\"cleanup\": false"), to: "plain.json"))
    for entry in try #require(GoldenFiles.json("decoding.json").arrayValue) {
      let cleansUp = entry[0] == true
      let tokenizer = cleansUp ? clean : plain
      let ids = try #require(entry[1]).ids
      #expect(JSONValue.string(tokenizer.decode(ids)) == entry[2], "\(ids)")
      #expect(
        JSONValue.string(tokenizer.decode(ids, skipSpecialTokens: false)) == entry[3], "\(ids)")
    }
  }

  @Test func tokensAreTheVocabularysLines() throws {
    let tokenizer = Tokenizer(vocabulary: try GoldenFiles.vocabulary())
    let lines = String(decoding: try GoldenFiles.bytes("vocab.txt"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    #expect(tokenizer.tokens((0..<Int32(lines.count)).map { $0 }) == lines)
  }
}
