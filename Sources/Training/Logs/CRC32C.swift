/// The CRC-32C (Castagnoli) of some bytes, polynomial 0x82F63B78 reflected, as TFRecord files use it.
///
/// `CRC32C.checksum("123456789".utf8)` is 0xE3069283 (RFC 3720, appendix B.4 has more).
package enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in
      crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1
    }
  }

  /// The checksum.
  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
      crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xFF)]
    }
  }

  /// The checksum as TFRecord stores it: rotated and shifted, so that a checksum of checksums differs.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = checksum(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
