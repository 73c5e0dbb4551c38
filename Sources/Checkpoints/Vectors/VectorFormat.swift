public import Foundation

/// The files that vectors can be written to, by their extensions.
public enum VectorFormat: String, Sendable, CaseIterable {
  /// numpy's array file, version 1.0: (n, d) little-endian Float.
  case npy
  /// One tensor `embeddings`, [n, d] F32.
  case safetensors
  /// One object a line: `{"id":"...","embedding":[...]}`.
  case jsonl
  /// A header `id,0,1,...` and one row a vector.
  case csv
  /// Each row as its width (Int32) and its Floats, as the TEXMEX data sets and faiss have it.
  case fvecs
  /// A flat index of faiss.
  case faiss
  /// Rows for PostgreSQL's COPY in its text format, an id and a pgvector literal.
  case pgcopy
  /// Rows for PostgreSQL's COPY in its binary format.
  case pgbin

  /// The format of a file's name.
  ///
  /// - Throws: ``CheckpointError`` for another extension.
  public init(_ url: URL) throws {
    guard let format = VectorFormat(rawValue: url.pathExtension.lowercased()) else {
      let known = VectorFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw CheckpointError(
        "vectors can't be written to a file of this kind", path: url.path,
        advice: "use one of the extensions \(known)")
    }
    self = format
  }
}

/// Takes vectors row by row; the file is complete, and there at all, after ``finish()``.
public protocol VectorWriter {
  /// Appends rows, `rows.count` being a multiple of the width, with an id each.
  ///
  /// - Throws: ``CheckpointError`` for a value that isn't finite, an id that the format can't hold, or
  ///   a full disk.
  mutating func append(_ rows: UnsafeBufferPointer<Float>, ids: [String]) throws

  /// Writes what is left and puts the file in place.
  mutating func finish() throws
}

extension VectorFormat {
  /// Creates a writer of `url` for vectors of `width` values.
  ///
  /// `hasIDs` says whether the ids come from the input: then the formats that have no place for them
  /// get a second file, `NAME.ids.txt`, one id a line. `metric` is what a faiss index compares by.
  public func writer(
    to url: URL, width: Int, hasIDs: Bool, metric: VectorMetric = .ip
  ) throws -> any VectorWriter {
    switch self {
    case .npy, .safetensors, .fvecs:
      try BinaryVectorWriter(url, format: self, width: width, hasIDs: hasIDs)
    case .jsonl: JSONLinesVectorWriter(try PendingFile(url), width: width)
    case .csv: try CSVVectorWriter(PendingFile(url), width: width)
    case .faiss: try FlatIndexWriter(url, width: width, metric: metric, hasIDs: hasIDs)
    case .pgcopy: try CopyTextWriter(url, width: width)
    case .pgbin: try CopyBinaryWriter(url, width: width)
    }
  }
}

/// Where a text format's bytes go.
public protocol ByteOutput {
  /// Appends bytes.
  func append(_ bytes: [UInt8]) throws
  /// Makes everything appended final.
  func commit() throws
}

extension PendingFile: ByteOutput {}
