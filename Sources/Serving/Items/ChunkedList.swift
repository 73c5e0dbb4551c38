/// A list of which copies share all that doesn't change.
///
/// Its elements stand in chunks of up to 1,024; a change of a copy copies one of them.
struct ChunkedList<Element: Sendable>: Sendable, RandomAccessCollection, MutableCollection {
  private var chunks: [[Element]] = []
  private(set) var count = 0
  private static var size: Int { 1024 }

  init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(place: Int) -> Element {
    get { chunks[place / Self.size][place % Self.size] }
    set { chunks[place / Self.size][place % Self.size] = newValue }
  }

  mutating func append(_ element: Element) {
    if count == chunks.count * Self.size { chunks.append([]) }
    chunks[chunks.count - 1].append(element)
    count += 1
  }
}
