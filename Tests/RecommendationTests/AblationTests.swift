import Datasets
import EncoderModel
import Foundation
import Kernels
import Recommendation
import TestSupport
import Testing

/// The fine-tuning recipe without one of its parts.
@Suite struct AblationTests {
  init() { BLAS.useSingleThread() }

  @Test("Without idf both halves of a text's vector are the even mean")
  func evenPooling() {
    let pooling = TokenPooling(inverseDocumentFrequencies: [0, 1, 3]).even
    let arena = Arena<Float>()
    let y = arena.take(8)
    let hidden = TestBuffer<Float>([4, 0, 0, 4, 8, 8, 3, 0])
    _ = pooling.forward(
      y, hidden: hidden.pointer, batch: PackedBatch([[1, 2, 0], [2]]), width: 2, arena: arena)
    // The first text's mean is (4, 4).
    let root = Float(0.5).squareRoot()
    expectClose(
      Array(UnsafeBufferPointer(start: y, count: 8)), [root, root, root, root, 1, 0, 1, 0],
      absolute: 1e-6)
  }

  @Test("The item tower's inputs lose the columns of what is left out")
  func narrowedInputs() {
    let assembly = ItemInputAssembly(
      whitening: Whitening(mean: [0, 0], matrix: DenseMatrix(rowCount: 2, columnCount: 1)),
      rawWidth: 2, featureWidth: 1)
    let inputs = DenseMatrix(rowCount: 2, columnCount: 4, values: [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(assembly.narrowed(inputs, without: [.rawInputs]).values == [3, 4, 7, 8])
    #expect(assembly.narrowed(inputs, without: [.whiteInputs]).values == [1, 2, 4, 5, 6, 8])
    #expect(assembly.narrowed(inputs, without: [.logQ]) == inputs)
  }

  @Test("Without attention a user is the direction of the history's mean, and it doesn't learn")
  func meanHistory() throws {
    let configuration = TowerConfiguration(itemInputs: 2, hidden: 2, width: 2, historyItems: 3)
    let network = TowerNetwork(configuration, without: [.attention])
    let weights = ParameterStore<Double>(network.table)
    var generator = SeededGenerator(seed: 5)
    network.initialize(weights, using: &generator)
    // Items are their inputs to length 1; these keys would tell them apart.
    for (name, values) in [
      ("item.linear.weight", [1, 0, 0, 1]), ("item.output.weight", [0, 0, 0, 0]),
      ("user.attention.key.weight", [5, -5, 3, 7]),
    ] as [(String, [Double])] {
      let entry = try #require(network.table[name])
      for (n, value) in values.enumerated() { weights[entry][n] = value }
    }
    let items = TestBuffer<Double>([3, 4, 0, 2, 1, 0])
    let arena = Arena<Double>()
    let saved = network.forward(
      TowerNetwork.Batch(
        items: items.pointer, itemCount: 3, offsets: [0, 3], entries: [0, 1, 2],
        embeddingRows: [-1, 0, 1], userFeatures: nil), weights: weights, arena: arena)
    // (0.6, 0.8) + (0, 1) + (1, 0), to length 1.
    let norm = (1.6 * 1.6 + 1.8 * 1.8).squareRoot()
    expectClose(
      Array(UnsafeBufferPointer(start: saved.user.y, count: 2)), [1.6 / norm, 1.8 / norm],
      absolute: 1e-12)
    let frozen = network.table.entries.filter { !$0.isTrainable }.map(\.name)
    #expect(!frozen.isEmpty && frozen.allSatisfy { $0.hasPrefix("user.attention.") })
    #expect(TowerNetwork(configuration).table.entries.allSatisfy { $0.isTrainable })
  }

  @Test("Without the correction candidates of equal scores are equally likely")
  func logQ() throws {
    // Vectors of zeros: all scores are 0. Every item is a target, so the candidates of a user are all
    // four items but the user's other positive.
    let data = TowerData(
      itemInputs: DenseMatrix(rowCount: 4, columnCount: 2), userFeatures: nil,
      positives: try SparseMatrix(histories: [[0, 1], [0, 2], [0, 3], [1, 2]], columnCount: 4),
      labelled: TowerData.LabelledRows())
    func loss(_ without: FinetuneAblation) -> Double {
      let network = TowerNetwork(
        TowerConfiguration(itemInputs: 2, hidden: 2, width: 2, historyItems: 4), without: without)
      return TowerTrainer(
        network: network, data: data, options: TowerOptions(), workers: Workers(count: 1)
      ).runEpoch(0)
    }
    expectClose(loss([.logQ]), log(3.0), absolute: 1e-6)
    #expect(abs(loss([]) - log(3.0)) > 0.1)
  }

  @Test("Files of options have what they had")
  func optionsInFiles() throws {
    let data = try JSONEncoder().encode(FinetuneOptions())
    let options = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    func keys(_ value: Any?) -> [String] { (value as? [String: Any])?.keys.sorted() ?? [] }
    #expect(
      keys(options)
        == [
          "adapterKind", "adapters", "maximumLength", "minutes", "seed", "threads", "towers",
        ])
    #expect(
      keys(options["towers"])
        == [
          "batch", "embeddingDropout", "hidden", "historyLength", "inputDropout", "learningRate",
          "loss", "maximumEpochs", "negatives", "patience", "seed", "targetsPerUser",
          "weightDecay", "width",
        ])
    #expect(
      keys(options["adapters"])
        == ["alpha", "batch", "bottleneck", "layers", "negatives", "rank", "seed"])
  }

  @Test("A run up to the fusion finds what a whole run finds, and others begin with its ground")
  func upToTheFusion() throws {
    let board = Checkerboard()
    var shares = ColdSplit.Options()
    shares.coldFraction = 0
    shares.coldValidationFraction = 0.25
    shares.warmFraction = 0
    let split = try ColdSplit.make(
      board.behaviors, positive: PositiveRule(threshold: 1), options: shares)
    let kept = try EvaluationSplit(split, catalogue: board.items.ids, part: .validation)
    let input = FinetuneInput(
      items: board.items, behaviors: split.train, users: nil, rule: PositiveRule(threshold: 1),
      report: DataReport())
    let run = Finetuner(
      model: try Checkerboard.encoder(), options: Checkerboard.options(.softmax, .none))
    let ground = try run.prepare(input)
    let fit = try run.ablated(on: ground)
    let figures = try fit.figures(kept: kept)
    let whole = try run.run(input).metrics
    #expect(figures.fusion == whole.coldNDCG && figures.warm == whole.warmNDCG)
    #expect(figures.balanced == whole.balancedNDCG && figures.epochs == whole.towerEpochs)
    #expect(figures.tower == whole.coldParts["tower"])
    #expect(figures.kept ?? 0 > 0.95, "\(figures)")
    #expect(figures.adaptedTower == nil && !figures.keepsAdapters)

    // A fusion of fewer parts has the same towers behind it.
    let fewer = try fit.figures(leavingOut: [.tower], kept: nil)
    #expect(fewer.tower == nil && fewer.kept == nil)
    #expect(fewer.textKernel == figures.textKernel && fewer.parameters == figures.parameters)

    // 48 embeddings of width 16, and 32 raw columns into 16 numbers twice.
    var other = run
    other.without = [.itemEmbeddings, .rawInputs]
    let narrow = try other.ablated(on: ground).figures(kept: kept)
    #expect(narrow.parameters == figures.parameters - 48 * 16 - 32 * (16 + 16))
    #expect(try run.ablated(on: ground).figures(kept: kept) == figures)
  }
}
