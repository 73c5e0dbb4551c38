import Foundation

/// A file's bytes, mapped read-only into memory.
///
/// The mapping belongs to the file and not to its name: a file that is replaced by rename, as every writer
/// here does it, stays as it was for those who have it mapped. A file that is cut short in place loses
/// pages under its readers, which no check at opening prevents: the system then ends the process (SIGBUS).
final class FileMapping: @unchecked Sendable {
  /// All bytes of the file.
  let bytes: UnsafeRawBufferPointer

  /// Maps `length` bytes; `nil` when the file has become shorter or the file system can't map files.
  init?(_ descriptor: Int32, length: Int) {
    var status = stat()
    guard length > 0, fstat(descriptor, &status) == 0, Int(status.st_size) >= length else {
      return nil
    }
    guard let base = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: base, count: length)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}

/// The mappings that a store of weights points into, one a file.
final class FileMappings {
  private var mappings: [ObjectIdentifier: FileMapping] = [:]

  /// Maps a file that isn't yet.
  func add(_ file: SafeTensorsFile) {
    guard mappings[ObjectIdentifier(file)] == nil else { return }
    mappings[ObjectIdentifier(file)] = file.map()
  }

  /// The elements of a tensor; `nil` where they can't be used as they are.
  func floats(_ entry: TensorFiles.Entry) -> UnsafePointer<Float>? {
    mappings[ObjectIdentifier(entry.file)].flatMap { entry.file.floats(of: entry.tensor, in: $0) }
  }
}
