import Checkpoints
import Foundation
import Testing

/// A safetensors file put together by hand.
func tensorFile(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  let text = Array(header.utf8)
  let size = length ?? UInt64(text.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + text + data
}

@Suite("Reading safetensors")
struct SafeTensorsFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("tensors, scalars, empty tensors and metadata are read, whatever their order")
  func reads() throws {
    let header = """
      {"b":{"shape":[2,1],"dtype":"F32","data_offsets":[4,12]},"__metadata__":{"k\\u00e9":"v\\n"},\
      "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},\
      "empty":{"dtype":"I64","shape":[0,3],"data_offsets":[12,12]}}
      """
    // 1, -2 and 0.5 in IEEE single precision, little-endian.
    let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F]
    let file = try SafeTensorsFile(folder.write(tensorFile(header + "  ", data: data), "x"))
    #expect(file.tensors.map(\.name) == ["a", "b", "empty"])
    #expect(try file.floats("a") == [1])
    #expect(try file.floats("b") == [-2, 0.5])
    #expect(try file.floats("empty") == [])
    #expect(file["b"]?.shape == [2, 1])
    #expect(file.metadataValue("k\u{e9}") == "v\n")
    // The same letter in two scalars is another key.
    #expect(file["b\u{301}"] == nil)
  }

  @Test(
    "every element type is converted to Float",
    arguments: [
      ("BOOL", [1, 0], [1, 0]), ("U8", [255, 2], [255, 2]), ("I8", [255, 2], [-1, 2]),
      ("I16", [0xFE, 0xFF, 3, 1], [-2, 259]), ("U16", [0xFE, 0xFF, 3, 1], [65534, 259]),
      ("F16", [0x00, 0x3C, 0x01, 0x80], [1, -0x1p-24]),
      ("BF16", [0x80, 0x3F, 0x40, 0xC0], [1, -3]),
      ("I32", [0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 1, 0], [-1, 65537]),
      ("U32", [0, 0, 0, 0x80, 1, 0, 0, 0], [2_147_483_648, 1]),
      ("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0], [1.5, -2]),
      ("I64", [0xFD, 255, 255, 255, 255, 255, 255, 255, 7, 0, 0, 0, 0, 0, 0, 0], [-3, 7]),
      ("U64", [0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0], [4_294_967_296, 7]),
    ] as [(String, [UInt8], [Float])])
  func converts(type: String, data: [UInt8], expected: [Float]) throws {
    let header =
      "{\"x\":{\"dtype\":\"\(type)\",\"shape\":[2],\"data_offsets\":[0,\(data.count)]}}"
    let file = try SafeTensorsFile(folder.write(tensorFile(header, data: data), "x"))
    #expect(try file.floats("x") == expected)
  }

  @Test("all 65,536 half-precision values are what the processor's own type says")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let (mine, theirs) = (Half.float(bits), Float(Float16(bitPattern: bits)))
      #expect(mine == theirs || (mine.isNaN && theirs.isNaN), "\(bits)")
    }
  }

  @Test("Floats are rounded to half precision and bfloat16 as the processor does it")
  func rounding() {
    var state: UInt32 = 1
    for _ in 0..<50_000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      let value = Float(bitPattern: state)
      guard !value.isNaN else { continue }
      #expect(Half.bits(value) == Float16(value).bitPattern, "\(value)")
      // The two neighbours of a bfloat16 differ in bit 16: the nearer one is right, ties are even.
      let low = Float(bitPattern: state & 0xFFFF_0000)
      let high = Float(bitPattern: (state & 0xFFFF_0000) &+ 0x1_0000)
      guard high.isFinite else { continue }
      let rest = state & 0xFFFF
      let isUp = rest > 0x8000 || (rest == 0x8000 && state & 0x1_0000 != 0)
      let rounded = Float(bitPattern: UInt32(Half.brainBits(value)) << 16)
      #expect(rounded == (isUp ? high : low), "\(value)")
    }
    for value: Float in [65519.996, 65520, 0x1p-25, 0x1.000002p-25, 0x1p-14, -0.0, .infinity] {
      #expect(Half.bits(value) == Float16(value).bitPattern, "\(value)")
    }
  }

  @Test(
    "a damaged header is refused, with what is wrong",
    arguments: [
      ("", "{"), (" {}", "{"), ("[]", "{"), ("{\"a\":1}", "expected"), ("{} x", "after the header"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "lacks"),
      ("{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", "F99"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "don't fit"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "don't fit"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", "don't fit"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "whole number"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]}}", "whole number"),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", "expected"),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
        "too large"
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}",
        "don't fit"
      ),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
          + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "overlaps"
      ),
      ("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}", "hole"),
      ("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", "need 2 bytes"),
      (
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
          + "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}", "twice"
      ),
      ("{\"__metadata__\":{\"a\":1}}", "expected"),
      ("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "twice"),
      ("{\"__metadata__\":{},\"__metadata__\":{}}", "twice"),
      ("{\"a\\ud800\":{}}", "surrogate"), ("{\"a", "doesn't end"), ("{\"\\q\":{}}", "escape"),
      (
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}",
        "unexpected"
      ),
    ])
  func refusesHeader(header: String, reason: String) throws {
    let url = try folder.write(tensorFile(header, data: [0, 0, 128, 63]), "bad.safetensors")
    let error = #expect(throws: CheckpointError.self) { try SafeTensorsFile(url) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "no error")")
    #expect(error?.description.contains("bad.safetensors") == true)
  }

  @Test("a length that the file can't have is refused before anything is allocated")
  func refusesLength() throws {
    for length: UInt64 in [3, 1 << 20, 100_000_001, 1 << 62, .max] {
      let url = try folder.write(tensorFile("{}", length: length), "bad")
      #expect(throws: CheckpointError.self) { try SafeTensorsFile(url) }
    }
    for bytes: [UInt8] in [[], [1, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]] {
      let url = try folder.write(bytes, "bad")
      #expect(throws: CheckpointError.self) { try SafeTensorsFile(url) }
    }
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(folder.url) }
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(folder.file("absent")) }
  }

  @Test("a tensor that is missing or complex is an error that names it")
  func refusesTensor() throws {
    let header = "{\"c\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}"
    let url = try folder.write(
      tensorFile(header, data: [UInt8](repeating: 0, count: 8)), "x.safetensors")
    let file = try SafeTensorsFile(url)
    let complex = #expect(throws: CheckpointError.self) { try file.floats("c") }
    #expect(complex?.description.contains("C64") == true)
    let missing = #expect(throws: CheckpointError.self) { try file.floats("d") }
    #expect(missing?.place.hasSuffix("x.safetensors: d") == true)
  }
}
