import Foundation

/// Texts for runs of the program, different from each other and with words that repeat.
enum SampleTexts {
  private static let things = ["lamp", "chair", "table", "clock", "mirror", "basket", "kettle"]
  private static let materials = ["wooden", "glass", "silver", "paper", "woollen"]
  private static let places = ["kitchen", "garden", "hall", "attic", "nursery", "study"]

  static func lines(_ count: Int = 200) -> [String] {
    (0..<count).map { n in
      let thing = things[n % things.count]
      let material = materials[n / things.count % materials.count]
      return "A \(material) \(thing) for the \(places[n % places.count]), number \(n)"
    }
  }

  static func corpus(_ count: Int = 200) -> String { lines(count).joined(separator: "\n") + "\n" }

  static func csv(_ count: Int = 200) -> String {
    "item_id,caption,price\n"
      + lines(count).enumerated().map { "i\($0.offset),\"\($0.element)\",3\n" }.joined()
  }

  /// A gzip member that stores its bytes, so that the test needs no compressor (RFC 1951 3.2.4, RFC 1952).
  static func gzip(_ text: String) -> Data {
    let bytes = Array(text.utf8)
    precondition(bytes.count < 1 << 16, "one stored block holds 65,535 bytes")
    func little(_ value: UInt32, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
    let length = UInt32(bytes.count)
    var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
    result += little(length, 2) + little(~length, 2) + bytes
    result += little(crc32(bytes), 4) + little(length, 4)
    return Data(result)
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
