/// Scores an item by the similarities of the history's items to it, where they are among its `k`
/// nearest neighbours by content.
public enum ItemKNN {
  /// The item-item weights of neighbours: what history item i adds to item j is their cosine when i is
  /// one of the neighbours of j.
  ///
  /// - Parameters:
  ///   - neighbours: The neighbours of each item of the catalogue, in the catalogue's order.
  public static func weights(_ neighbours: Neighbours) -> ItemWeights {
    let itemCount = neighbours.lists.rowCount
    return ItemWeights(weights: neighbours.matrix(itemCount: itemCount).transposed())
  }
}
