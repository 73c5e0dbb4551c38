import Datasets

/// Changes bytes as damage and malice do, always the same way for the same generator.
package struct Mutation {
  package var generator: SeededGenerator

  package init(seed: UInt64, stream: UInt64) {
    generator = SeededGenerator(seed: seed, stream: stream)
  }

  /// Pieces that readers take for something: delimiters, brackets, numbers that are too large.
  private static let pieces: [[UInt8]] =
    [
      "\n", "\r\n", "\t", ",", "\"", "\"\"", "::", "|", "{", "}", "[", "]", ":", "\\", "\\u",
      "\\ud800",
      "null", "true", "-", "-1", "0", "1e999", "1e-999", "nan", "9223372036854775807",
      "-9223372036854775808", "18446744073709551616", "4294967296", "2147483648", "[CLS]", "##",
      "N1-1 N2-0", "\u{FEFF}", "user_id", "item_id", "rating", "text", "shape", "data_offsets",
      "../", "/etc/passwd", "\u{0}", "<f8", "True",
    ].map { Array($0.utf8) } + [
      [0xFF], [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x1F, 0x8B],
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0, 0, 0, 0, 0],
      Array(repeating: 0x5B, count: 300), Array(repeating: 0x22, count: 33),
    ]

  /// `bytes` with up to eight changes.
  package mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...generator.uniform(below: 8) { change(&result) }
    return result
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let kind = generator.uniform(below: 9)
    let place = generator.uniform(below: bytes.count + 1)
    switch kind {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(generator.uniform(below: 8))
    case 1 where place < bytes.count: bytes[place] = UInt8(generator.uniform(below: 256))
    case 2: bytes.removeSubrange(range(from: place, in: bytes, longest: 16))
    case 3: bytes.removeSubrange(place...)
    case 4: bytes.insert(contentsOf: piece(), at: place)
    case 5:
      let copy = Array(bytes[range(from: place, in: bytes, longest: 64)])
      bytes.insert(contentsOf: copy, at: generator.uniform(below: bytes.count + 1))
    case 6: bytes.replaceSubrange(range(from: place, in: bytes, longest: 8), with: piece())
    case 7: changeNumber(&bytes, near: place)
    default:
      let noise = (0..<generator.uniform(below: 12)).map { _ in
        UInt8(generator.uniform(below: 256))
      }
      bytes.insert(contentsOf: noise, at: place)
    }
  }

  private mutating func piece() -> [UInt8] {
    Mutation.pieces[generator.uniform(below: Mutation.pieces.count)]
  }

  private mutating func range(from place: Int, in bytes: [UInt8], longest: Int) -> Range<Int> {
    place..<min(bytes.count, place + generator.uniform(below: longest + 1))
  }

  /// Replaces the digits at or behind a place by another number.
  private mutating func changeNumber(_ bytes: inout [UInt8], near place: Int) {
    func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
    let numbers = [
      "0", "1", "3", "65536", "1000000007", "4611686018427387904", "99999999999999999999",
    ]
    let number = numbers[generator.uniform(below: numbers.count)]
    bytes.replaceSubrange(start..<end, with: Array(number.utf8))
  }
}
