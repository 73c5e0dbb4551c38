extension ColdSplit {
  /// Whether the balanced set keeps a user's positive on a cold item: the share `warmFraction` of them,
  /// chosen by the hash of `bal|user|item`, as bench/baselines.py does.
  public func isInBalancedSet(user: Int, item: Int) -> Bool {
    let threshold = (info.warmFraction ?? 0.2) * 0x1p64
    guard threshold < 0x1p64 else { return true }
    var hash = FNV1a64("bal|")
    train.users.withBytes(of: user) { hash.append($0) }
    hash.append(UInt8(ascii: "|"))
    train.items.withBytes(of: item) { hash.append($0) }
    return splitMix64Finalizer(hash.value) < UInt64(threshold)
  }
}
