internal import CUtf8proc

/// Unicode's canonical decomposition (NFD), by utf8proc.
///
/// Callers ask only for code points that the reference library decomposes or reorders (see
/// `CodePointFlags`). Unicode never changes these values once given, so the installed utf8proc's
/// version doesn't matter.
enum CanonicalDecomposition {
  /// Appends the full decomposition of a code point that has `.decomposes`.
  static func append(_ code: UInt32, to scalars: inout GrowableBuffer<UInt32>) {
    // The longest canonical decomposition has four code points; room for more costs nothing.
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 8) { parts in
      var boundary: Int32 = 0
      let count = utf8proc_decompose_char(
        Int32(bitPattern: code), parts.baseAddress, 8, UTF8PROC_DECOMPOSE, &boundary)
      if count < 1 || count > 8 {
        scalars.append(code)
      } else {
        for i in 0..<count { scalars.append(UInt32(bitPattern: parts[i])) }
      }
    }
  }

  /// The canonical combining class of a code point that has `.reorders`.
  static func combiningClass(_ code: UInt32) -> UInt16 {
    UInt16(
      bitPattern: Int16(utf8proc_get_property(Int32(bitPattern: code)).pointee.combining_class))
  }
}
