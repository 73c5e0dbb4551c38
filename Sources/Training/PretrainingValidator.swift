import Datasets
import EncoderModel
import Foundation
import Kernels

/// Measures an encoder on the held-out sequences, always under the same masks.
struct PretrainingValidator: Sendable {
  private let objective: PretrainingObjective
  private let micros: [PretrainingObjective.MicroBatch]
  private let unigramEntropy: Double
  private let majorityAccuracy: Double

  init(objective: PretrainingObjective, corpus: TokenizedCorpus, seed: UInt64) {
    self.objective = objective
    var generator = SeededGenerator(seed: seed, stream: 0x5641_4C00)
    var order = SequenceOrder(corpus.validation, seed: seed)
    var micros: [PretrainingObjective.MicroBatch] = []
    while order.position.epoch == 0 && !corpus.validation.isEmpty {
      // No more than a worker has at once in training with the defaults: validation then needs no more memory.
      let batch = order.next(tokens: 1024, length: corpus.length)
      // Whole texts, as they are embedded: the loss can be compared with that of runs without crops.
      micros.append(objective.prepare(batch, isCropping: false, using: &generator))
    }
    self.micros = micros
    // Laplace's rule keeps the probability of a piece that training never saw above zero.
    let total = Double(corpus.pieceCounts.reduce(0, +) + corpus.pieceCounts.count)
    var counts: [Int32: Int] = [:]
    var entropy = 0.0
    var targets = 0
    for target in micros.flatMap(\.masked.targets) {
      entropy -= log(Double(corpus.pieceCounts[Int(target)] + 1) / total)
      counts[target, default: 0] += 1
      targets += 1
    }
    unigramEntropy = entropy / Double(max(1, targets))
    majorityAccuracy = Double(counts.values.max() ?? 0) / Double(max(1, targets))
  }

  func run(
    weights: ParameterStore<Float>, arenas: [Arena<Float>], workers: Workers
  ) -> ValidationRecord {
    let results = UnsafeMutableBufferPointer<PretrainingObjective.Losses>.allocate(
      capacity: micros.count)
    results.initialize(repeating: PretrainingObjective.Losses())
    defer { results.deallocate() }
    let target = UnsafeSendable(results)
    workers.run { worker in
      for index in stride(from: worker, to: micros.count, by: workers.count) {
        target.value[index] = objective.run(
          micros[index], weights: weights, gradients: nil, maskedTotal: 1, textTotal: 1,
          arena: arenas[worker], dropout: nil)
      }
    }
    var losses = PretrainingObjective.Losses()
    for part in results { losses += part }
    return ValidationRecord(
      loss: losses.maskedMean,
      accuracy: Double(losses.correct) / Double(max(1, losses.maskedCount)),
      unigramEntropy: unigramEntropy, majorityAccuracy: majorityAccuracy,
      bagOfWordsLoss: losses.textCount > 0 ? losses.bagOfWordsMean : nil)
  }
}
