/// BERT's normalisation: clean, space CJK ideographs, strip accents, lowercase, in this order.
///
/// Equal to `BertNormalizer` of Hugging Face `tokenizers`, with that library's Unicode tables.
struct TextNormalizer: Sendable {
  let cleans: Bool
  let spacesIdeographs: Bool
  let strips: Bool
  let lowers: Bool
  private let tables = UnicodeTables.shared

  init(_ options: TokenizerOptions) {
    cleans = options.cleanText
    spacesIdeographs = options.tokenizeChineseCharacters
    strips = options.stripAccents ?? options.lowercase
    lowers = options.lowercase
  }

  private init(identity: Void) {
    (cleans, spacesIdeographs, strips, lowers) = (false, false, false, false)
  }

  /// Changes nothing: for text that has been normalised before.
  static let identity = TextNormalizer(identity: ())

  /// Appends the normalised scalars of `bytes`; invalid UTF-8 counts as U+FFFD.
  ///
  /// Normalising a text in parts gives the same as at once when the parts meet at ASCII bytes: an
  /// ASCII character has no decomposition and nothing is reordered across it.
  func normalize(
    _ bytes: UnsafeBufferPointer<UInt8>, into scalars: inout GrowableBuffer<UInt32>
  ) {
    guard let base = bytes.baseAddress else { return }
    let start = scalars.count
    var reordering = 0
    var index = 0
    while index < bytes.count {
      let code = UTF8Bytes.decode(base, &index, bytes.count)
      let flags = tables.flags(code)
      if cleans, !flags.isDisjoint(with: [.dropped, .space]) {
        if flags.contains(.space) { scalars.append(0x20) }
      } else if spacesIdeographs, flags.contains(.ideograph) {
        scalars.append(0x20)
        transform(code, flags, into: &scalars, &reordering)
        scalars.append(0x20)
      } else {
        transform(code, flags, into: &scalars, &reordering)
      }
    }
    if strips { removeMarks(&scalars, from: start, ordering: reordering > 1) }
  }

  @inline(__always)
  private func transform(
    _ code: UInt32, _ flags: CodePointFlags, into scalars: inout GrowableBuffer<UInt32>,
    _ reordering: inout Int
  ) {
    if strips {
      if flags.contains(.decomposes) {
        CanonicalDecomposition.append(code, to: &scalars)
        reordering += 1
      } else {
        if flags.contains(.reorders) { reordering += 1 }
        scalars.append(code)
      }
    } else if lowers, flags.contains(.lowers) {
      scalars.append(tables.lowercase(code))
      // U+0130, capital I with a dot, is the one code point whose lowercase has two.
      if code == 0x130 { scalars.append(0x307) }
    } else {
      scalars.append(code)
    }
  }

  /// The second half of accent stripping, then lowercase, in place.
  private func removeMarks(
    _ scalars: inout GrowableBuffer<UInt32>, from start: Int, ordering: Bool
  ) {
    if ordering { order(&scalars, from: start) }
    var kept = start
    for i in start..<scalars.count {
      let code = scalars.base[i]
      let flags = tables.flags(code)
      if flags.contains(.mark) { continue }
      scalars.base[kept] = lowers && flags.contains(.lowers) ? tables.lowercase(code) : code
      kept += 1
    }
    scalars.count = kept
  }

  /// Canonical ordering: a stable sort by combining class of each run of combining characters.
  private func order(_ scalars: inout GrowableBuffer<UInt32>, from start: Int) {
    let base = scalars.base
    var first = start
    while first < scalars.count {
      var end = first
      while end < scalars.count, combiningClass(base[end]) != 0 { end += 1 }
      if end - first > 1 { sortByClass(base + first, end - first) }
      first = end + 1
    }
  }

  private func sortByClass(_ run: UnsafeMutablePointer<UInt32>, _ count: Int) {
    // The position breaks ties, so that equal classes keep their order.
    let keys = (0..<count).map { UInt64(combiningClass(run[$0])) << 48 | UInt64($0) }.sorted()
    let copy = Array(UnsafeBufferPointer(start: run, count: count))
    for (i, key) in keys.enumerated() { run[i] = copy[Int(key & 0xFFFF_FFFF_FFFF)] }
  }

  private func combiningClass(_ code: UInt32) -> UInt16 {
    tables.flags(code).contains(.reorders) ? CanonicalDecomposition.combiningClass(code) : 0
  }
}
