import Foundation

/// Opens tables of behaviours, items and users in any layout that is recognised.
package enum TableOpening {
  /// A reader of the file, and what its layout is called.
  ///
  /// - Throws: `DatasetError` for a file that can't be read, is empty or has a malformed header.
  package static func open(
    path: String, kind: TableKind, options: TableOptions
  ) throws -> (reader: any TableReader, title: String) {
    let source = try ByteSource(path: path)
    let buffer = try RowBuffer(source, capacity: 1 << 20)
    let named = kind == .behaviors && !options.columns.isEmpty ? options.columns : nil
    var format = options.format
    if named != nil && format == nil {
      let firstLine = UnsafeBufferPointer(rebasing: buffer.head.prefix { $0 != 0x0A })
      format = DelimitedFormat(path: path) ?? DelimitedFormat(firstLine: firstLine)
    }
    let layout = TableLayout(head: buffer.head, path: path, kind: kind, format: format)
    let reader: any TableReader
    switch layout {
    case .delimited(let format):
      reader = try DelimitedReader(
        buffer, name: source.name, format: format, columns: named,
        skipBadRows: options.skipBadRows)
    case .lines(let layout):
      reader = LineTableReader(layout, lines: lines(buffer, source, options))
    case .impressions: reader = ImpressionReader(lines: lines(buffer, source, options))
    case .objects: reader = try ObjectTableReader(lines: lines(buffer, source, options))
    }
    return (reader, layout.title(reader.header, kind: kind))
  }

  private static func lines(
    _ buffer: RowBuffer, _ source: ByteSource, _ options: TableOptions
  ) -> LineReader {
    LineReader(buffer, name: source.name, skipBadLines: options.skipBadRows)
  }

  /// The file that `path` names, or the one of this kind in the folder that it names.
  ///
  /// - Throws: `DatasetError` for a folder without such a file, or with several.
  package static func file(_ path: String, kind: TableKind) throws -> String {
    var isFolder: ObjCBool = false
    guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
      isFolder.boolValue
    else { return path }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
    let known = TableOpening.known(kind)
    for wanted in known.names {
      if let found = names.first(where: { plainName($0) == wanted }) {
        return path + "/" + found
      }
    }
    let atomic = names.filter { plainName($0).hasSuffix(known.suffix) }
    if atomic.count == 1 { return path + "/" + atomic[0] }
    throw DatasetError(
      atomic.isEmpty
        ? "the folder has no \(kind.rawValue) file of a known name (\(known.names.joined(separator: ", ")), *\(known.suffix))"
        : "the folder has several: \(atomic.joined(separator: ", "))",
      path: path, advice: "name the file itself")
  }

  /// The items file that belongs to a behaviours file: one of a known name in the same folder.
  static func items(besides behaviors: String) -> String? {
    let url = URL(fileURLWithPath: behaviors)
    let folder = url.deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let stem = url.lastPathComponent.split(separator: ".").first.map(String.init) ?? ""
    for wanted in known(.items).names + [stem + ".item"] {
      for name in [wanted, wanted + ".gz"]
      where names.contains(name) && name != url.lastPathComponent {
        return folder + "/" + name
      }
    }
    return nil
  }

  private static func plainName(_ name: String) -> String {
    let name = name.lowercased()
    return name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
  }

  private static func known(_ kind: TableKind) -> (names: [String], suffix: String) {
    switch kind {
    case .behaviors:
      (
        [
          "behaviors.csv", "behaviors.tsv", "ratings.csv", "ratings.dat", "u.data",
          "interactions.csv", "reviews.jsonl",
        ], ".inter"
      )
    case .items:
      (
        [
          "items.csv", "items.tsv", "movies.csv", "movies.dat", "u.item", "news.tsv",
          "items.jsonl", "meta.jsonl",
        ], ".item"
      )
    case .users: (["users.csv", "users.tsv", "users.dat", "u.user"], ".user")
    }
  }
}
