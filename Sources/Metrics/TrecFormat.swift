/// Lines of the files that trec_eval, ir_measures and ranx read: qrels and runs.
///
/// A qrels line is `user 0 item 1`, a run line `user Q0 item rank score name`.
public enum TrecFormat {
  /// Appends an id as a field: white space, `%`, other bytes up to 32 and 127 become `%` and two
  /// hexadecimal digits, since fields end at blanks; an empty id becomes `%`.
  public static func append(field id: UnsafeBufferPointer<UInt8>, to line: inout [UInt8]) {
    if id.isEmpty { line.append(UInt8(ascii: "%")) }
    for byte in id {
      if byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "%") {
        line.append(byte)
      } else {
        line.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] {
          line.append(digit < 10 ? 0x30 + digit : 0x41 - 10 + digit)
        }
      }
    }
  }

  /// Scores that fall from place to place, for programs that sort by the score again and break ties in
  /// their own way: one that isn't below the score before it becomes the next smaller Float.
  public static func falling(_ scores: [Float]) -> [Float] {
    var last = Float.infinity
    return scores.map { score in
      last = min(comparable(score), last.nextDown)
      return last
    }
  }
}
