import Foundation
import Testing

@Suite("Damaged models", .serialized)
struct DamagedModelTests {
  private let program: EncoderProgram

  init() throws { program = try EncoderProgram() }

  /// A safetensors file from its header and some zeroes.
  private static func file(_ header: String, length: UInt64? = nil, zeroes: Int = 64) -> Data {
    let count = length ?? UInt64(header.utf8.count)
    var data = Data((0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * UInt64($0))) })
    data.append(contentsOf: header.utf8)
    data.append(Data(count: zeroes))
    return data
  }

  @Test("embed --model and pretrain --from refuse a damaged model.safetensors by its name")
  func weights() throws {
    try program.write(SampleTexts.corpus(), "c.txt")
    let made = try program.run(
      "pretrain", "c.txt", "--preset", "tiny", "--threads", "1", "--steps", "1", "--batch-tokens",
      "128", "--vocab-size", "200", "--output", "m", "--quiet")
    #expect(made.status == 0)
    let good = try program.read("m/model.safetensors")
    let tensor = { (name: String, begin: Int, end: Int) in
      #""\#(name)":{"dtype":"F32","shape":[\#((end - begin) / 4)],"data_offsets":[\#(begin),\#(end)]}"#
    }
    let damaged: [(String, Data)] = [
      ("cut short", good.prefix(good.count - 5)),
      ("empty", Data()),
      ("shorter than the length field", Data([1, 0, 0])),
      ("header longer than the file", DamagedModelTests.file("{}", length: 1 << 20)),
      ("header of 2^63 bytes", DamagedModelTests.file("{}", length: 1 << 63)),
      ("header that isn't JSON", DamagedModelTests.file("{]")),
      (
        "overlapping tensors",
        DamagedModelTests.file("{\(tensor("a", 0, 40)),\(tensor("b", 24, 64))}")
      ),
      ("tensor beyond the end", DamagedModelTests.file("{\(tensor("a", 0, 400))}")),
      ("other tensors", DamagedModelTests.file("{\(tensor("a", 0, 64))}")),
    ]
    for (name, bytes) in damaged {
      try program.write(bytes, "m/model.safetensors")
      let before = try program.names()
      for arguments in [
        ["embed", "--model", "m", "--text", "a lamp", "--output", "v.npy"],
        ["pretrain", "c.txt", "--from", "m", "--output", "n", "--steps", "1", "--quiet"],
      ] {
        let outcome = try program.start(arguments).wait()
        #expect(outcome.status == 1, "\(name): \(arguments)")
        #expect(outcome.output.isEmpty)
        #expect(
          outcome.errorLines.count == 1 && outcome.errors.hasPrefix("error: "),
          "\(name): \(outcome.errors)")
        #expect(outcome.errors.contains("model.safetensors"), "\(name): \(outcome.errors)")
        #expect(try program.names() == before, "\(name)")
      }
    }
  }
}
