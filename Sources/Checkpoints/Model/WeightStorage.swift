/// Where a loaded model's weights are.
public enum WeightStorage: Sendable {
  /// In memory of their own, which training may change.
  case memory
  /// Where the file is: F32 tensors are used straight out of a read-only mapping, so that loading costs
  /// next to nothing and several processes share the pages; tensors of other types are converted into
  /// memory, and so are query, key and value matrices that don't follow each other in the file, as one
  /// product computes all three.
  ///
  /// The file may be replaced by rename meanwhile, as every writer here does it. It must not be cut short
  /// in place (as `cp` over it does): the system ends processes that read beyond a mapped file's end.
  case mapping
}
