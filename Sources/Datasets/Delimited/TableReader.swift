/// Reads a table row by row: named columns, whatever the file's layout.
///
/// The loops over rows are generic over it, so that a row of a CSV file costs no dynamic call.
package protocol TableReader: AnyObject {
  /// What errors call the file.
  var name: String { get }
  /// The names of the columns, those of the file or those of its known layout.
  var header: [String] { get }
  /// The line, from 1, on which the current row begins.
  var line: Int { get }
  /// How many malformed rows were left out.
  var badRowCount: Int { get }
  /// What was wrong with the first of them.
  var firstBadRow: String? { get }

  /// Moves to the next row; false at the end of the file.
  ///
  /// - Throws: `DatasetError` with the line of a malformed row.
  func next() throws -> Bool

  /// The bytes of a field of the current row, valid until the next row is read.
  func field(_ column: Int) -> UnsafeBufferPointer<UInt8>

  /// Leaves the current row out as malformed: throws, or counts it.
  func reject(_ what: String, advice: String) throws
}

extension TableReader {
  /// A field of the current row as a string.
  package func string(_ column: Int) -> String {
    String(decoding: field(column), as: UTF8.self)
  }
}

extension DelimitedReader: TableReader {}
