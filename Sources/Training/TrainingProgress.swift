/// One logged step of a run, as a line of `training.jsonl` has it.
public struct TrainingRecord: Sendable, Encodable, Equatable {
  /// Optimizer steps taken.
  public var step: Int
  /// Passes over the training data, with the current one's share.
  public var epoch: Double
  /// Mean loss a step since the last record: the sum of the objectives as they are weighted.
  public var loss: Double
  /// Mean cross-entropy of masked tokens, in nats.
  public var maskedLoss: Double?
  /// Mean cross-entropy of the bag-of-words head, in nats.
  public var bagOfWordsLoss: Double?
  /// Mean cross-entropy of finding the other crop of a text in the micro-batch, in nats.
  public var cropLoss: Double?
  /// Learning rate of this step.
  public var learningRate: Double
  /// Gradient norm before clipping.
  public var gradientNorm: Double
  /// Tokens seen so far, [CLS] and [SEP] with them.
  public var tokens: Int
  /// Tokens a second since the last record.
  public var tokensPerSecond: Double
  /// Seconds of training so far.
  public var seconds: Double
  /// What validation found, on the steps that ran it.
  public var validation: ValidationRecord?

  enum CodingKeys: String, CodingKey {
    case step, epoch, loss, tokens, seconds
    case maskedLoss = "mlm_loss"
    case bagOfWordsLoss = "bag_of_words_loss"
    case cropLoss = "crop_loss"
    case learningRate = "learning_rate"
    case gradientNorm = "gradient_norm"
    case tokensPerSecond = "tokens_per_second"
    case validation
  }

  /// Writes one flat object: the validation's fields stand beside the others.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(step, forKey: .step)
    try values.encode(epoch, forKey: .epoch)
    try values.encode(loss, forKey: .loss)
    try values.encodeIfPresent(maskedLoss, forKey: .maskedLoss)
    try values.encodeIfPresent(bagOfWordsLoss, forKey: .bagOfWordsLoss)
    try values.encodeIfPresent(cropLoss, forKey: .cropLoss)
    try values.encode(learningRate, forKey: .learningRate)
    try values.encode(gradientNorm, forKey: .gradientNorm)
    try values.encode(tokens, forKey: .tokens)
    try values.encode(tokensPerSecond, forKey: .tokensPerSecond)
    try values.encode(seconds, forKey: .seconds)
    try validation?.encode(to: encoder)
  }
}

/// What a validation pass found on held-out texts.
public struct ValidationRecord: Sendable, Codable, Equatable {
  /// Mean cross-entropy of masked tokens, in nats.
  public var loss: Double
  /// Share of masked tokens that were predicted right.
  public var accuracy: Double
  /// Cross-entropy of the same tokens under the training texts' piece frequencies, in nats: what a
  /// model that ignores context reaches.
  public var unigramEntropy: Double
  /// Share of the most frequent piece among the masked tokens.
  public var majorityAccuracy: Double
  /// Mean cross-entropy of the bag-of-words head, in nats.
  public var bagOfWordsLoss: Double?

  enum CodingKeys: String, CodingKey {
    case loss = "validation_loss"
    case accuracy = "validation_accuracy"
    case unigramEntropy = "unigram_entropy"
    case majorityAccuracy = "majority_accuracy"
    case bagOfWordsLoss = "validation_bag_of_words_loss"
  }
}

/// What a running training tells its caller.
public enum TrainingEvent: Sendable {
  /// A step ended; `fraction` is the finished share of the run, and `isLogged` says whether the
  /// record goes into `training.jsonl`.
  case step(TrainingRecord, fraction: Double, isLogged: Bool)
  /// A checkpoint was written.
  case saved(step: Int)
}

/// The caller's answer to an event.
public enum TrainingDecision: Sendable {
  /// Go on.
  case proceed
  /// Save a checkpoint and return.
  case stop
}
