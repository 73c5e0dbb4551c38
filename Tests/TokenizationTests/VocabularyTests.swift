import Foundation
import Testing
import Tokenization

@Suite struct VocabularyTests {
  static let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  @Test func idsAreLineNumbers() throws {
    let vocabulary = try GoldenFiles.vocabulary()
    let lines = String(decoding: try GoldenFiles.bytes("vocab.txt"), as: UTF8.self)
      .split(separator: "\n")
    #expect(vocabulary.count == lines.count)
    for (id, line) in lines.enumerated() {
      #expect(vocabulary.id(of: String(line)) == Int32(id))
      #expect(vocabulary.token(Int32(id)) == line)
      #expect(vocabulary.isContinuation(Int32(id)) == line.utf8.starts(with: "##".utf8))
      #expect(vocabulary.isSpecial(Int32(id)) == VocabularyTests.special.contains(String(line)))
    }
    #expect(
      [
        vocabulary.paddingID, vocabulary.unknownID, vocabulary.classID, vocabulary.separatorID,
        vocabulary.maskID,
      ] == [0, 1, 2, 3, 4])
    #expect(vocabulary.id(of: "no such piece") == nil)
    #expect(!vocabulary.contains(-1) && !vocabulary.contains(Int32(lines.count)))
  }

  @Test func canonicallyEquivalentPiecesAreDifferent() throws {
    // Swift's String equality would take these for one: U+00E0 and a with U+0300.
    let vocabulary = try Vocabulary(tokens: VocabularyTests.special + ["\u{E0}", "a\u{300}"])
    #expect(vocabulary.id(of: "\u{E0}") == 5)
    #expect(vocabulary.id(of: "a\u{300}") == 6)
    #expect(Array(vocabulary.token(6).unicodeScalars) == ["a", "\u{300}"])
  }

  @Test func writtenFilesReadBackTheSame() throws {
    let directory = try TemporaryDirectory()
    let vocabulary = try GoldenFiles.vocabulary()
    let url = directory.url.appendingPathComponent("vocab.txt")
    try vocabulary.write(to: url)
    #expect([UInt8](try Data(contentsOf: url)) == (try GoldenFiles.bytes("vocab.txt")))
    #expect(try Vocabulary(contentsOf: url) == vocabulary)
    #expect(try directory.contents() == ["vocab.txt"])
  }

  @Test func lineEndsAndBlankEndsArentPartOfPieces() throws {
    let directory = try TemporaryDirectory()
    let lines = VocabularyTests.special + ["one", "##two"]
    let url = try directory.write(
      "\u{FEFF}" + lines.joined(separator: "\r\n") + "  \r\n\r\n\n", to: "v")
    #expect(try Vocabulary(contentsOf: url) == Vocabulary(tokens: lines))
  }

  @Test func repeatedPiecesAreNamedWithTheirLines() throws {
    let directory = try TemporaryDirectory()
    let text = (VocabularyTests.special + ["one", "two", "one"]).joined(separator: "\n")
    let url = try directory.write(text, to: "v")
    #expect(
      throws: TokenizationError.repeatedPiece(
        piece: "one", place: "\(url.path):8", first: "line 6")
    ) { try Vocabulary(contentsOf: url) }
    #expect(
      throws: TokenizationError.repeatedPiece(piece: "x", place: "token 6", first: "token 5")
    ) { try Vocabulary(tokens: VocabularyTests.special + ["x", "x"]) }
  }

  @Test(arguments: special)
  func missingSpecialTokensAreNamed(token: String) throws {
    let directory = try TemporaryDirectory()
    let rest = VocabularyTests.special.filter { $0 != token } + ["a"]
    let url = try directory.write(rest.joined(separator: "\n"), to: "v")
    #expect(throws: TokenizationError.missingSpecialToken(token: token, place: url.path)) {
      try Vocabulary(contentsOf: url)
    }
  }

  @Test func bytesThatArentUTF8AreAnErrorWithTheirLine() throws {
    let directory = try TemporaryDirectory()
    let url = directory.url.appendingPathComponent("v")
    try Data(Array("[PAD]\n[UNK]\na".utf8) + [0xFF, 0x0A]).write(to: url)
    #expect(throws: TokenizationError.notUTF8(place: "\(url.path):3")) {
      try Vocabulary(contentsOf: url)
    }
  }

  @Test func unreadableFilesAreNamed() throws {
    let directory = try TemporaryDirectory()
    let missing = directory.url.appendingPathComponent("missing.txt")
    for url in [missing, directory.url] {
      let error = #expect(throws: (any Error).self) { try Vocabulary(contentsOf: url) }
      #expect("\(error.map { "\($0)" } ?? "")".contains(url.path))
    }
    let nowhere = missing.appendingPathComponent("v")
    #expect(throws: (any Error).self) { try GoldenFiles.vocabulary().write(to: nowhere) }
    #expect(try directory.contents() == [])
  }

  @Test(arguments: ["a\nb", "a "])
  func piecesThatNoLineCanHoldArentWritten(piece: String) throws {
    let directory = try TemporaryDirectory()
    let vocabulary = try Vocabulary(tokens: VocabularyTests.special + [piece])
    #expect(throws: TokenizationError.self) {
      try vocabulary.write(to: directory.url.appendingPathComponent("v"))
    }
    #expect(try directory.contents() == [])
  }
}
