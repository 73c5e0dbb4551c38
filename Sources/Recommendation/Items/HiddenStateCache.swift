public import EncoderModel
import Foundation
public import Kernels
import Training

/// Token states below the first adapter, computed once and kept in half precision.
///
/// The layers below are frozen, so every epoch would compute the same. 17,000 texts of 92 tokens at
/// width 256 take 0.8 GB in a mapped temporary file that has no name and vanishes with the process.
public final class HiddenStateCache: @unchecked Sendable {
  private let memory: UnsafeMutablePointer<Float16>
  private let byteCount: Int
  private let starts: [Int]
  private let width: Int

  /// Runs layers `0..<layers` over all sequences.
  ///
  /// - Throws: `TrainingError` when the temporary file can't be made or mapped.
  public init(
    _ sequences: [[Int32]], encoder: TextEncoder, weights: ParameterStore<Float>, layers: Int,
    workers: Workers
  ) throws {
    width = encoder.configuration.hiddenSize
    var places = [0]
    for sequence in sequences { places.append(places[places.count - 1] + sequence.count) }
    let starts = places
    self.starts = starts
    byteCount = max(1, starts[sequences.count] * width) * MemoryLayout<Float16>.stride
    memory = try HiddenStateCache.map(byteCount)
    let batches = ItemTextEncoder.batches(sequences, tokens: 2048)
    workers.run { worker in
      let arena = Arena<Float>(capacity: 0)
      for index in stride(from: worker, to: batches.count, by: workers.count) {
        let batch = PackedBatch(batches[index].map { sequences[$0.first] })
        arena.reset()
        let hidden = encoder.infer(
          batch, weights: weights, layers: 0..<layers, arena: arena)
        for (row, member) in batches[index].enumerated() {
          let source = hidden + Int(batch.offsets[row]) * width
          for item in member.all {
            HalfPrecision.narrow(
              memory + starts[item] * width, source, count: sequences[member.first].count * width)
          }
        }
      }
    }
  }

  /// The states below the first layer that an adapter changes; nil where it changes the embeddings, so
  /// that nothing stays as it is.
  ///
  /// - Throws: `TrainingError` when the temporary file can't be made or mapped.
  public static func below(
    _ adapters: AdapterStack<Float>, _ sequences: [[Int32]], encoder: TextEncoder,
    weights: ParameterStore<Float>, workers: Workers
  ) throws -> HiddenStateCache? {
    guard !adapters.changesEmbeddings else { return nil }
    return try HiddenStateCache(
      sequences, encoder: encoder, weights: weights, layers: adapters.firstLayer(of: encoder),
      workers: workers)
  }

  deinit { munmap(memory, byteCount) }

  /// Copies the states of a sequence, (tokens, H), to `target`.
  func copy(_ index: Int, to target: UnsafeMutablePointer<Float>) {
    HalfPrecision.widen(
      target, memory + starts[index] * width, count: (starts[index + 1] - starts[index]) * width)
  }

  private static func map(_ size: Int) throws -> UnsafeMutablePointer<Float16> {
    func failure(_ what: String) -> TrainingError {
      TrainingError(
        "\(what) (\(String(cString: strerror(errno)))): \(size) bytes of cached states; "
          + "set TMPDIR to a folder with more room")
    }
    let folder = FileManager.default.temporaryDirectory
    var template = Array(folder.appendingPathComponent("encoder-states-XXXXXX").path.utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw failure("can't create a temporary file") }
    defer { close(descriptor) }
    unlink(template)
    // Blocks are reserved now: a full disk is an error here and not a bus error later.
    guard posix_fallocate(descriptor, 0, off_t(size)) == 0 else {
      throw failure("can't reserve room in a temporary file")
    }
    guard
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      base != MAP_FAILED
    else { throw failure("can't map a temporary file") }
    return base.assumingMemoryBound(to: Float16.self)
  }
}
