import Foundation

extension ColdSplit {
  /// Writes the split into a folder, which is made if need be.
  ///
  /// The files are train.csv, test_warm.csv, test_cold.csv, warm_items.txt, cold_items.txt, users.txt,
  /// split.json, and val_cold.csv and val_cold_items.txt when there are validation rows. Rows and items
  /// are in the order of their ids' code points, labels `%g`,
  /// times `%.15g`.
  ///
  /// - Throws: `DatasetError` when a file can't be written.
  public func write(to folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw DatasetError(
        "cannot make the folder", path: folder.path, advice: "check the path and its permissions")
    }
    func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
    try write(train, to: file("train.csv"))
    try write(testWarm, to: file("test_warm.csv"))
    try write(testCold, to: file("test_cold.csv"))
    try write(warmItems, of: train.items, to: file("warm_items.txt"))
    try write(coldItems, of: train.items, to: file("cold_items.txt"))
    if validationCold.count > 0 {
      try write(validationCold, to: file("val_cold.csv"))
      try write(validationColdItems, of: train.items, to: file("val_cold_items.txt"))
    } else {
      // Those of an earlier split into the same folder would be read as this one's.
      for stale in ["val_cold.csv", "val_cold_items.txt"] {
        try? FileManager.default.removeItem(at: file(stale))
      }
    }
    try write(usersInOrder, of: train.users, to: file("users.txt"))
    try AtomicFile.write(info.json, to: file("split.json"))
  }

  private func write(_ rows: Behaviors, to url: URL) throws {
    let times = rows.timestamps.flatMap { times in
      times.contains { !$0.isNaN } ? times : nil
    }
    try AtomicFile.write(to: url) { file in
      var csv = CSVWriter(file)
      var texts: [UInt32: [UInt8]] = [:]
      try csv.writeRow(["user_id", "item_id", "label"] + (times == nil ? [] : ["timestamp"]))
      for row in 0..<rows.count {
        rows.users.withBytes(of: Int(rows.userIndex[row])) { csv.append($0) }
        rows.items.withBytes(of: Int(rows.itemIndex[row])) { csv.append($0) }
        append(rows.labels[row], to: &csv, &texts)
        if let times { append(time: times[row], to: &csv) }
        try csv.endRow()
      }
    }
  }

  private func write(_ indices: [Int32], of table: IDTable, to url: URL) throws {
    try AtomicFile.write(to: url) { file in
      for index in indices {
        try table.withBytes(of: Int(index)) { try file.write(UnsafeRawBufferPointer($0)) }
        try file.write("\n")
      }
    }
  }
}

/// Appends a label; `texts` keeps those of labels that were formatted before, which takes long.
private func append(_ label: Float, to csv: inout CSVWriter, _ texts: inout [UInt32: [UInt8]]) {
  if label == label.rounded() && abs(label) < 1e6 && label.bitPattern != (-0.0 as Float).bitPattern
  {
    csv.append(Int(label))
    return
  }
  let text = texts[label.bitPattern] ?? Array(labelText(label).utf8)
  if texts.count < 1 << 16 { texts[label.bitPattern] = text }
  text.withUnsafeBufferPointer { csv.append($0) }
}

/// Appends a time as C's `%.15g` prints it; nothing for none.
private func append(time: Double, to csv: inout CSVWriter) {
  if time.isNaN {
    csv.append("")
  } else if time == time.rounded() && abs(time) < 1e15 && time != 0 {
    csv.append(Int(time))
  } else {
    csv.append(String(format: "%.15g", time))
  }
}

/// A label as C's `%g` prints the decimal number it was read from.
package func labelText(_ label: Float) -> String {
  String(format: "%g", decimal(label))
}
