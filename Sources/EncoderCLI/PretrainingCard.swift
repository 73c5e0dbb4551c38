import Checkpoints
import Foundation
import Training

extension PretrainingJob {
  /// The model card in Hugging Face's form.
  func card(
    _ snapshot: Pretrainer.Snapshot, _ corpus: TokenizedCorpus, _ model: PretrainedModel
  ) -> String {
    let (progress, c) = (snapshot.progress, model.configuration)
    let (options, exported) = (progress.options, snapshot.exported)
    let source = command.corpus.map { path in
      path == "-" ? "standard input" : URL(fileURLWithPath: path).lastPathComponent
    }.joined(separator: ", ")
    let loss = progress.bestValidationLoss.map { String(format: "%.4f nats", $0) } ?? "not measured"
    var objectives = ["masked tokens"]
    if options.bagOfWordsWeight > 0 {
      objectives.append("with weight \(options.bagOfWordsWeight) the bag of words of a text")
    }
    if let weight = options.cropWeight, weight > 0 {
      objectives.append("with weight \(weight) the contrast of two crops of a text")
    }
    let origin = command.from.map { "continued from \(URL(fileURLWithPath: $0).lastPathComponent)" }
    let rows: [(String, String)] = [
      ("corpus", source),
      ("size", "\(corpus.textCount) texts, \(corpus.trainingTokenCount) tokens"),
      ("start", origin ?? "random weights"), ("vocabulary", "\(c.vocabularySize) pieces"),
      ("objective", objectives.joined(separator: ", ")),
      ("masking", "\(options.maskRate)\(options.wholeWord ? ", whole words" : "")"),
      (
        "steps", "\(exported.step) of \(options.batchTokens) tokens, \(exported.tokens) tokens seen"
      ),
      ("learning rate", "\(options.learningRate), warm-up \(options.warmup), linear decay"),
      ("seed, threads", "\(options.seed), \(options.threads)"),
    ]
    return """
      ---
      library_name: sentence-transformers
      pipeline_tag: sentence-similarity
      tags:
      - sentence-transformers
      - sentence-similarity
      - feature-extraction
      - fill-mask
      \(results(progress.bestValidationLoss, source))---

      # \(command.corpusName)

      A BERT encoder of \(c.layerCount) layers and width \(c.hiddenSize), pretrained by `encoder pretrain` \
      on item descriptions. `report.html` has the course of training.

      ## Use

      Texts become vectors by the mean of all token states, scaled to length 1:

          from sentence_transformers import SentenceTransformer
          SentenceTransformer("PATH").encode(["a description"])

      or `encoder embed --model PATH --text "a description"`. For ranking items, fine-tune on behaviours \
      with `encoder finetune`.

      ## Training

      | | |
      |---|---|
      \(rows.map { "| \($0.0) | \(CardText.cell($0.1)) |" }.joined(separator: "\n"))

      ## Evaluation

      Validation loss of masked tokens: \(loss). The weights are those of the lowest loss on held-out \
      texts, \(corpus.validation.count) sequences that never occur among the training texts.

      ## Limits

      The vectors reflect the corpus they were trained on, its language and its biases. Texts in a \
      language that the vocabulary doesn't know become rows of unknown tokens.

      """
  }

  /// The metadata of the one figure there is, for model hubs.
  private func results(_ loss: Double?, _ source: String) -> String {
    guard let loss else { return "" }
    return """
      model-index:
      - name: \(CardText.quoted(command.corpusName))
        results:
        - task:
            type: fill-mask
            name: Masked tokens
          dataset:
            type: text
            name: \(CardText.quoted(source))
            split: validation
          metrics:
          - type: loss
            name: Cross-entropy of masked tokens, nats
            value: \(String(format: "%.4f", loss))

      """
  }
}
