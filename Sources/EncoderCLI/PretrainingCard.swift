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
    let loss = progress.bestValidationLoss.map { String(format: "%.4f nats", $0) } ?? "not measured"
    let objectives =
      options.bagOfWordsWeight > 0
      ? "masked tokens and, with weight \(options.bagOfWordsWeight), the bag of words of a text"
      : "masked tokens"
    return """
      ---
      library_name: sentence-transformers
      pipeline_tag: sentence-similarity
      tags:
      - sentence-transformers
      - feature-extraction
      - fill-mask
      ---

      # \(command.corpusName)

      A BERT encoder of \(c.layerCount) layers and width \(c.hiddenSize), pretrained by `encoder` on \
      item descriptions.

      | | |
      |---|---|
      | corpus | \(corpus.textCount) texts, \(corpus.trainingTokenCount) tokens |
      | vocabulary | \(c.vocabularySize) pieces |
      | objective | \(objectives) |
      | masking | \(options.maskRate)\(options.wholeWord ? ", whole words" : "") |
      | steps | \(exported.step) of \(options.batchTokens) tokens, \(exported.tokens) tokens seen |
      | learning rate | \(options.learningRate), warm-up \(options.warmup), linear decay |
      | seed, threads | \(options.seed), \(options.threads) |
      | validation loss of masked tokens | \(loss) |

      Texts become vectors by the mean of all token states, scaled to length 1:

          from sentence_transformers import SentenceTransformer
          SentenceTransformer("PATH").encode(["a description"])

      The vectors reflect the corpus they were trained on, its language and its biases. For ranking
      items, fine-tune on behaviours.

      """
  }
}
