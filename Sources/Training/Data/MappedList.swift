import Foundation

/// Numbers in a mapped temporary file, so that a corpus may be larger than memory.
///
/// The file is unlinked as soon as it is open: it takes no name, and the system frees it with the
/// last use, however the process ends.
final class MappedList<Element: BitwiseCopyable>: @unchecked Sendable {
  private var descriptor: Int32
  private var buffer: [Element] = []
  private var base: UnsafeMutableRawPointer?
  /// Number of elements written.
  private(set) var count = 0

  /// Creates an empty file in `directory`.
  init(directory: URL) throws {
    var template = Array(directory.appendingPathComponent("encoder-tokens-XXXXXX").path.utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw TrainingError(
        "can't create a temporary file (\(String(cString: strerror(errno)))): \(directory.path); "
          + "set TMPDIR to a folder with room for the tokenised corpus")
    }
    unlink(template)
  }

  deinit {
    if let base { munmap(base, count * MemoryLayout<Element>.stride) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Appends elements.
  func append(_ elements: some Collection<Element>) throws {
    buffer.append(contentsOf: elements)
    count += elements.count
    if buffer.count >= 1 << 18 { try flush() }
  }

  /// Appends one element.
  func append(_ element: Element) throws { try append(CollectionOfOne(element)) }

  private func flush() throws {
    try buffer.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        guard let start = bytes.baseAddress else { return }
        let n = write(descriptor, start + written, bytes.count - written)
        if n < 0 && errno == EINTR { continue }
        guard n > 0 else {
          throw TrainingError(
            "can't write the tokenised corpus (\(String(cString: strerror(errno)))): "
              + "temporary file; set TMPDIR to a folder with more room")
        }
        written += n
      }
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// Ends writing and maps the file.
  func map() throws {
    try flush()
    buffer = []
    guard count > 0 else { return }
    let size = count * MemoryLayout<Element>.stride
    guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
    else {
      throw TrainingError(
        "can't map \(size) bytes of tokens (\(String(cString: strerror(errno)))): temporary file; "
          + "use a smaller corpus")
    }
    base = memory
  }

  /// The elements in a range; only after ``map()``.
  subscript(range: Range<Int>) -> UnsafeBufferPointer<Element> {
    guard let base, !range.isEmpty else { return UnsafeBufferPointer(start: nil, count: 0) }
    precondition(range.upperBound <= count, "elements \(range) of \(count)")
    return UnsafeBufferPointer(
      start: base.assumingMemoryBound(to: Element.self) + range.lowerBound, count: range.count)
  }

  /// An element; only after ``map()``.
  subscript(place: Int) -> Element { self[place..<(place + 1)][0] }
}
