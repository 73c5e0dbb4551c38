/// The model sizes that the command line knows by name.
public enum EncoderPreset: String, Sendable, CaseIterable {
  /// 2 layers of width 128.
  case tiny
  /// 4 layers of width 256.
  case mini
  /// 4 layers of width 512.
  case small
  /// 12 layers of width 768, BERT-base.
  case base

  /// The configuration for a vocabulary; everything not in the name is BERT's default.
  public func configuration(
    vocabularySize: Int, dropout: Double, maximumPositions: Int = 512, paddingID: Int32 = 0
  ) -> EncoderConfiguration {
    let (layers, width, heads) =
      switch self {
      case .tiny: (2, 128, 2)
      case .mini: (4, 256, 4)
      case .small: (4, 512, 8)
      case .base: (12, 768, 12)
      }
    return EncoderConfiguration(
      vocabularySize: vocabularySize, hiddenSize: width, layerCount: layers, headCount: heads,
      intermediateSize: 4 * width, hiddenDropout: dropout, attentionDropout: dropout,
      maximumPositions: maximumPositions, paddingID: Int(paddingID))
  }
}
