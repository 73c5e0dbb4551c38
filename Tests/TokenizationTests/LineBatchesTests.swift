import Foundation
import Testing
import Tokenization

@Suite struct LineBatchesTests {
  @Test(arguments: [1, 2, 3, 5, 7, 100])
  func batchesAreWholeLinesAndTogetherTheFile(size: Int) throws {
    let directory = try TemporaryDirectory()
    let texts = [
      "", "\n", "one", "one\n", "\n\none\r\ntwo\u{2028}x\n", "a long line of text\nb\nc",
    ]
    for text in texts {
      let url = try directory.write(text, to: "lines")
      let batches = try LineBatches(path: url.path, batchBytes: size)
      #expect(batches.totalBytes == text.utf8.count)
      var all: [UInt8] = []
      while let batch = try batches.next() {
        #expect(!batch.isEmpty)
        all += batch
        #expect(batch.last == 0x0A || all.count == text.utf8.count)
      }
      #expect(all == Array(text.utf8))
      #expect(try batches.next() == nil)
    }
  }

  @Test func missingFilesAreNamed() {
    let error = #expect(throws: (any Error).self) { try LineBatches(path: "/nowhere/file") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("/nowhere/file"))
  }
}
