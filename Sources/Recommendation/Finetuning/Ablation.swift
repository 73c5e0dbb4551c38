/// Parts of the fine-tuning recipe that a run can go without, to show what each is worth.
///
/// For benchmarks alone: no option of the program leads here, and nothing of it is written to any file.
/// What options can take away (dropout, sizes, the loss) isn't repeated here.
package struct FinetuneAblation: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) { self.rawValue = rawValue }

  /// Weighing token states by idf: both halves of a text's vector are the even mean.
  ///
  /// Stands for letting rare pieces speak, see ``TokenPooling``.
  package static let idfPooling = FinetuneAblation(rawValue: 1 << 0)
  /// The raw text vector among the item tower's inputs.
  ///
  /// Stands for leaving the tower the choice between both forms, see ``ItemInputAssembly``. Not together
  /// with adapters, whose gradients know the whole input.
  package static let rawInputs = FinetuneAblation(rawValue: 1 << 1)
  /// The whitened text vector among the item tower's inputs, likewise.
  package static let whiteInputs = FinetuneAblation(rawValue: 1 << 2)
  /// Whitening where neighbours are looked for and where the kernel compares them.
  ///
  /// Stands for evening out the narrow cone of a pretrained encoder; the profile of a history and the
  /// regression to factors stay whitened.
  package static let whiteNeighbours = FinetuneAblation(rawValue: 1 << 3)
  /// Attention over a history: the user tower pools it by its mean alone.
  ///
  /// Stands for weighing what a user had by what it is.
  package static let attention = FinetuneAblation(rawValue: 1 << 4)
  /// The table of history embeddings: an item in a history is its text and features alone.
  ///
  /// Stands for what behaviours say of known items beyond their texts.
  package static let itemEmbeddings = FinetuneAblation(rawValue: 1 << 5)
  /// The correction of the sampled softmax by the expected number of draws.
  ///
  /// Stands for not holding frequent items back for being drawn often.
  package static let logQ = FinetuneAblation(rawValue: 1 << 6)

  /// Whether what comes before training differs, see ``Finetuner/prepare(_:)``.
  package var changesGround: Bool { contains(.idfPooling) }
}

extension TokenPooling {
  /// The pooling whose halves are both the even mean.
  package var even: TokenPooling {
    TokenPooling(
      inverseDocumentFrequencies: [Float](
        repeating: 0, count: inverseDocumentFrequencies.count))
  }
}

extension ItemInputAssembly {
  /// Inputs of the item tower without the parts that are left out: (items, width) -> (items, columns left).
  package func narrowed(_ inputs: DenseMatrix, without: FinetuneAblation) -> DenseMatrix {
    let features = rawWidth + whitening.matrix.columnCount
    let kept = (0..<width).filter { column in
      column >= features
        || !without.contains(column < rawWidth ? FinetuneAblation.rawInputs : .whiteInputs)
    }
    guard kept.count < width else { return inputs }
    var result = DenseMatrix(rowCount: inputs.rowCount, columnCount: kept.count)
    for row in 0..<inputs.rowCount {
      for (n, column) in kept.enumerated() { result[row, n] = inputs[row, column] }
    }
    return result
  }
}
