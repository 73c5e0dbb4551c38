package import Foundation

/// A reader of untrusted files, and files that it accepts, from which inputs are made.
package struct FuzzTarget: Sendable {
  package let name: String
  /// The name of the file that is changed, and its contents.
  package let seeds: [(name: String, bytes: [UInt8])]
  /// Files that stand beside it unchanged.
  package let companions: URL?
  /// Reads the file; throwing is fine, anything else but returning isn't.
  package let read: @Sendable (URL) throws -> Void

  package init(
    _ name: String, seeds: [(name: String, bytes: [UInt8])], companions: URL? = nil,
    read: @escaping @Sendable (URL) throws -> Void
  ) {
    self.name = name
    self.seeds = seeds
    self.companions = companions
    self.read = read
  }
}

/// Feeds a target with changed seeds.
package struct FuzzRun {
  /// How many inputs were refused with an error, and how many were read.
  package private(set) var refused = 0
  package private(set) var accepted = 0

  private let target: FuzzTarget
  private let folder: URL
  private let seed: UInt64

  /// Prepares `folder`, in which the inputs are written; the last one stays there.
  package init(_ target: FuzzTarget, seed: UInt64, folder: URL) throws {
    self.target = target
    self.folder = folder
    self.seed = seed
    let manager = FileManager.default
    try? manager.removeItem(at: folder)
    if let companions = target.companions {
      try manager.copyItem(at: companions, to: folder)
    } else {
      try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    }
  }

  /// Tries input number `number`; the same number always gives the same input.
  package mutating func step(_ number: Int) throws {
    var mutation = Mutation(seed: seed, stream: UInt64(number))
    let (name, bytes) = target.seeds[number % target.seeds.count]
    let url = folder.appendingPathComponent(name)
    let changed = number < target.seeds.count ? bytes : mutation.changed(bytes)
    try Data(changed).write(to: url)
    do {
      try target.read(url)
      accepted += 1
    } catch {
      refused += 1
      // An error must be able to say what is wrong.
      precondition(!"\(error)".isEmpty, "an error without words")
    }
    // The next input may be another of the companions' files.
    if target.companions != nil { try Data(bytes).write(to: url) }
  }
}
