import Checkpoints
import Foundation
import Reporting
import Tokenization
import Training

/// `report.html` of `encoder pretrain`: how the losses went and what the texts are like.
struct PretrainingReport {
  private let name: String
  private let source: String
  private let corpus: CorpusFigures
  private let model: PretrainedModel

  init(name: String, source: String, corpus: TokenizedCorpus, model: PretrainedModel) {
    self.name = name
    self.source = source
    self.corpus = CorpusFigures(corpus)
    self.model = model
  }

  /// The page of a run whose log has these lines.
  func page(_ snapshot: Pretrainer.Snapshot, log: [String]) -> Page {
    let records = log.compactMap { line in
      try? JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
    }
    let c = model.configuration
    return Page(
      name,
      subtitle: "A BERT encoder of \(c.layerCount) layers and width \(c.hiddenSize), pretrained on "
        + "\(source).",
      [summary(snapshot, records), losses(records), progress(records), texts, settings(snapshot)])
  }

  private typealias Record = [String: Double]

  private func line(
    _ records: [Record], _ key: String, by x: String = "step"
  ) -> [(x: Double, y: Double)] {
    records.compactMap { record in
      guard let place = record[x], let value = record[key] else { return nil }
      return (place, value)
    }
  }

  private func summary(_ snapshot: Pretrainer.Snapshot, _ records: [Record]) -> Page.Section {
    let progress = snapshot.progress
    let last = records.last { $0["validation_loss"] != nil }
    var tiles: [(value: String, name: String)] = []
    if let loss = progress.bestValidationLoss {
      tiles.append((decimals(loss, 3), "held-out loss of masked pieces, nats (best)"))
    }
    if let last {
      tiles.append(
        (decimals(last["unigram_entropy"] ?? .nan, 3), "of a model that ignores context, nats"))
      tiles.append(
        (percent(last["validation_accuracy"] ?? .nan), "of masked pieces are guessed right"))
      tiles.append((percent(last["majority_accuracy"] ?? .nan), "by always guessing the commonest"))
    }
    tiles.append((grouped(progress.step), "steps"))
    tiles.append((grouped(progress.tokens), "tokens seen"))
    if let seconds = records.last?["seconds"] {
      tiles.append((ProgressDisplay.clock(seconds), "of training"))
    }
    return .init("Summary", [.tiles(tiles)])
  }

  private func losses(_ records: [Record]) -> Page.Section {
    guard records.count > 1 else { return .init("Losses") }
    var blocks: [Page.Block] = [
      .figure(
        LineChart(
          "Loss of masked pieces by step, in training and on held-out texts", x: "step",
          y: "cross-entropy, nats",
          [
            .init("training", line(records, "mlm_loss")),
            .init("held-out texts", line(records, "validation_loss"), hasMarks: true),
            .init("ignoring context", line(records, "unigram_entropy")),
          ]), caption: "Masked pieces: lower is better",
        Table(
          "Validation by step",
          header: ["step", "held-out loss", "ignoring context", "guessed right", "tokens seen"],
          records.filter { $0["validation_loss"] != nil }.map { record in
            .init([
              grouped(Int(record["step"] ?? 0)), decimals(record["validation_loss"] ?? .nan, 4),
              decimals(record["unigram_entropy"] ?? .nan, 4),
              percent(record["validation_accuracy"] ?? .nan), grouped(Int(record["tokens"] ?? 0)),
            ])
          }))
    ]
    let bag = line(records, "bag_of_words_loss")
    if bag.count > 1 {
      blocks.append(
        .figure(
          LineChart(
            "Loss of the bag of words by step, in training and on held-out texts", x: "step",
            y: "cross-entropy, nats", height: 220,
            [
              .init("training", bag),
              .init(
                "held-out texts", line(records, "validation_bag_of_words_loss"), hasMarks: true),
            ]), caption: "Bag of words of the pooled vector: lower is better", nil))
    }
    let crops = line(records, "crop_loss")
    if crops.count > 1 {
      blocks.append(
        .figure(
          LineChart(
            "Loss of finding the other crop of a text, by step", x: "step",
            y: "cross-entropy, nats",
            height: 220, [.init("training", crops)]),
          caption: "Two crops of a text find each other in the batch: lower is better", nil))
    }
    return .init("Losses", blocks)
  }

  private func progress(_ records: [Record]) -> Page.Section {
    guard records.count > 1 else { return .init("How training went") }
    let charts: [(key: String, title: String, unit: String)] = [
      ("validation_accuracy", "Held-out pieces guessed right", "share"),
      ("learning_rate", "Learning rate", "learning rate"),
      ("gradient_norm", "Gradient before clipping", "norm"),
      ("tokens_per_second", "Speed", "tokens per second"),
    ]
    return .init(
      "How training went",
      [
        .figures(
          charts.filter { line(records, $0.key).count > 1 }.map { chart in
            (
              LineChart(
                "\(chart.title) by step", x: "step", y: chart.unit,
                includesZero: chart.key != "validation_accuracy", height: 220,
                [.init(chart.title, line(records, chart.key))]), chart.title
            )
          })
      ])
  }

  private var texts: Page.Section {
    .init(
      "Texts",
      [
        .tiles([
          (grouped(corpus.texts), "texts"), (grouped(corpus.sequences), "sequences for training"),
          (grouped(corpus.heldOut), "sequences held out"), (grouped(corpus.tokens), "tokens"),
          (percent(corpus.unknownShare, 2), "of the pieces are unknown to the vocabulary"),
          (
            "\(grouped(corpus.usedPieces)) of \(grouped(corpus.pieces))",
            "pieces of the vocabulary occur"
          ),
        ]),
        .figure(
          BarChart(
            "How many sequences have how many tokens", x: "tokens of a sequence", y: "sequences",
            corpus.lengths.map { (name: $0.name, value: Double($0.count)) }),
          caption: "Lengths of the sequences, [CLS] and [SEP] included",
          Table(
            "Sequences by length", header: ["tokens", "sequences"],
            corpus.lengths.map { .init([$0.name, grouped($0.count)]) })),
      ])
  }

  private func settings(_ snapshot: Pretrainer.Snapshot) -> Page.Section {
    let (o, c) = (snapshot.progress.options, model.configuration)
    let rows: [(String, String)] = [
      ("layers, width, heads", "\(c.layerCount), \(c.hiddenSize), \(c.headCount)"),
      ("feed-forward width", "\(c.intermediateSize)"), ("vocabulary", grouped(c.vocabularySize)),
      ("masked", percent(o.maskRate, 0) + (o.wholeWord ? ", whole words" : "")),
      ("weight of the bag of words", "\(o.bagOfWordsWeight)"),
      ("weight of the contrast of crops", "\(o.cropWeight ?? 0)"),
      ("tokens in a step", grouped(o.batchTokens)),
      ("longest sequence", "\(o.maximumLength) tokens"),
      ("learning rate", "\(o.learningRate), warm-up \(percent(o.warmup, 0)), linear decay"),
      ("weight decay", "\(o.weightDecay)"), ("largest gradient norm", "\(o.clipNorm)"),
      ("dropout", o.dropout.map { "\($0)" } ?? "as the model's configuration has it"),
      ("seed", "\(o.seed)"), ("threads", "\(o.threads)"),
    ]
    return .init(
      "Settings",
      [
        .table(
          Table(
            "How the model was made", header: ["setting", "value"], isNumeric: false,
            rows.map { .init([$0.0, $0.1]) }))
      ])
  }
}

/// Counts of a corpus, made once.
private struct CorpusFigures {
  let texts: Int
  let sequences: Int
  let heldOut: Int
  let tokens: Int
  let pieces: Int
  let usedPieces: Int
  let unknownShare: Double
  /// Training sequences by length, in ranges of equal width.
  let lengths: [(name: String, count: Int)]

  init(_ corpus: TokenizedCorpus) {
    texts = corpus.textCount
    sequences = corpus.training.count
    heldOut = corpus.validation.count
    pieces = corpus.pieceCounts.count
    usedPieces = corpus.pieceCounts.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }
    let unknown = corpus.tokenizer.vocabulary.unknownID
    var (all, unknowns, longest) = (0, 0, 1)
    for index in corpus.training {
      let ids = corpus.sequence(index)
      all += ids.count
      longest = max(longest, ids.count)
      for id in ids where id == unknown { unknowns += 1 }
    }
    tokens = all
    unknownShare = Double(unknowns) / Double(max(1, all - 2 * corpus.training.count))
    let width = max(1, (longest + 15) / 16)
    var counts = [Int](repeating: 0, count: (longest - 1) / width + 1)
    for index in corpus.training { counts[(corpus.length(index) - 1) / width] += 1 }
    lengths = counts.enumerated().map { place, count in
      let (low, high) = (place * width + 1, (place + 1) * width)
      return (name: low == high ? "\(low)" : "\(low)-\(high)", count: count)
    }
  }
}
