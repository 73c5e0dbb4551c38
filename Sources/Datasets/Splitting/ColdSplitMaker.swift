/// Makes a cold split of behaviours that are sorted by user and item id without repeated pairs.
struct ColdSplitMaker {
  private enum Part: UInt8 {
    case none
    case warm
    case cold
    case validation
  }

  let behaviors: Behaviors
  let positive: PositiveRule
  let options: ColdSplit.Options

  func make() -> ColdSplit {
    let isPositive = behaviors.labels.map { positive.isPositive($0) }
    var positives = [Int32](repeating: 0, count: behaviors.items.count)
    for row in 0..<behaviors.count where isPositive[row] {
      positives[Int(behaviors.itemIndex[row])] += 1
    }
    let part = parts(positives)
    let rest = (0..<Int32(behaviors.count)).filter { part[item($0)] == .warm }
    var isHeldOut = heldOut(rest)
    if options.until == nil {
      returnOnlyPositives(rest, isPositive, users: false, &isHeldOut)
      returnOnlyPositives(rest, isPositive, users: true, &isHeldOut)
    }

    func rows(_ wanted: Part) -> [Int32] {
      (0..<Int32(behaviors.count)).filter { part[item($0)] == wanted }
    }
    let train = rest.indices.filter { !isHeldOut[$0] }.map { rest[$0] }
    let warm = rest.indices.filter { isHeldOut[$0] }.map { rest[$0] }
    let (cold, validation) = (rows(.cold), rows(.validation))
    let itemOrder = behaviors.items.sortedIndices()
    func items(_ wanted: Part) -> [Int32] { itemOrder.filter { part[Int($0)] == wanted } }
    func count(_ rows: [Int32]) -> Int { rows.reduce(0) { $0 + (isPositive[Int($1)] ? 1 : 0) } }
    let (warmItems, coldItems, validationItems) = (items(.warm), items(.cold), items(.validation))
    let info = SplitInfo(
      seed: options.seed, coldFraction: options.coldFraction, warmFraction: options.warmFraction,
      coldValidationFraction: options.coldValidationFraction, positiveLabel: positive.threshold,
      minimumItemPositives: options.minimumItemPositives,
      coldBy: options.until == nil ? options.coldBy : .until,
      warmBy: options.until == nil ? options.warmBy : .until, until: options.until,
      users: distinctUsers(),
      itemsWithPositives: positives.reduce(0) { $0 + ($1 > 0 ? 1 : 0) },
      warmItems: warmItems.count, coldItems: coldItems.count,
      validationColdItems: validationItems.count, trainPositives: count(train),
      testWarmPositives: count(warm), testColdPositives: count(cold),
      validationColdPositives: count(validation))
    return ColdSplit(
      train: behaviors.selecting(train), testWarm: behaviors.selecting(warm),
      testCold: behaviors.selecting(cold), validationCold: behaviors.selecting(validation),
      warmItems: warmItems, coldItems: coldItems, validationColdItems: validationItems, info: info)
  }

  // MARK: Items

  /// The part of each item; none without a positive.
  private func parts(_ positives: [Int32]) -> [Part] {
    var parts = positives.map { $0 > 0 ? Part.warm : Part.none }
    if let until = options.until { return self.parts(positives, until: until) }
    let eligible = coldOrder(
      positives.indices.filter {
        positives[$0] > 0 && Int(positives[$0]) >= options.minimumItemPositives
      }.map { Int32($0) })
    let cold = Int(options.coldFraction * Double(eligible.count))
    let validation = Int(options.coldValidationFraction * Double(eligible.count))
    for (place, item) in eligible.prefix(cold + validation).enumerated() {
      parts[Int(item)] = place < cold ? .cold : .validation
    }
    return parts
  }

  /// The part of each item when the data is cut at a time.
  private func parts(_ positives: [Int32], until: Double) -> [Part] {
    var parts = positives.map { $0 > 0 ? Part.warm : Part.none }
    let first = firstPositiveTimes()
    for item in parts.indices where parts[item] == .warm && first[item] >= until {
      parts[item] = .cold
    }
    let before = parts.indices.filter { parts[$0] == .warm }.map { Int32($0) }
    let eligible = coldOrder(
      before.filter { Int(positives[Int($0)]) >= options.minimumItemPositives },
      newness: first.map { $0 > -.infinity ? -$0 : .infinity })
    for item in eligible.prefix(Int(options.coldValidationFraction * Double(before.count))) {
      parts[Int(item)] = .validation
    }
    return parts
  }

  /// The time of each item's first positive; minus infinity where a positive has none.
  private func firstPositiveTimes() -> [Double] {
    var first = [Double](repeating: .infinity, count: behaviors.items.count)
    for row in 0..<behaviors.count where positive.isPositive(behaviors.labels[row]) {
      let time = behaviors.timestamps?[row] ?? .nan
      let item = Int(behaviors.itemIndex[row])
      first[item] = min(first[item], time.isNaN ? -.infinity : time)
    }
    return first
  }

  /// The items in the order in which they become cold: the least `newness` first, then the least hash.
  private func coldOrder(_ eligible: [Int32], newness given: [Double]? = nil) -> [Int32] {
    let prefix = FNV1a64("\(options.seed)|cold|")
    let rank = ranks(behaviors.items.sortedIndices())
    let newness = given ?? (options.coldBy == .firstSeen ? negatedFirstTimes() : [])
    let keyed = eligible.map { item in
      var hash = prefix
      behaviors.items.withBytes(of: Int(item)) { hash.append($0) }
      return (
        newness: newness.isEmpty ? 0 : newness[Int(item)], hash: splitMix64Finalizer(hash.value),
        rank: rank[Int(item)], item: item
      )
    }
    return keyed.sorted { ($0.newness, $0.hash, $0.rank) < ($1.newness, $1.hash, $1.rank) }
      .map(\.item)
  }

  /// Minus the first time of each item, infinity (oldest) without one.
  private func negatedFirstTimes() -> [Double] {
    var times = [Double](repeating: .infinity, count: behaviors.items.count)
    guard let timestamps = behaviors.timestamps else { return times }
    var first = times
    for row in 0..<behaviors.count where !timestamps[row].isNaN {
      let item = Int(behaviors.itemIndex[row])
      first[item] = min(first[item], timestamps[row])
    }
    for item in first.indices where first[item] < .infinity { times[item] = -first[item] }
    return times
  }

  // MARK: Rows of warm items

  /// The hash of `seed|word|user|item` for each row.
  private func hashes(_ rows: [Int32], word: String) -> [UInt64] {
    let prefix = FNV1a64("\(options.seed)|\(word)|")
    var userHash = prefix
    var lastUser = Int32(-1)
    return rows.map { row in
      let user = behaviors.userIndex[Int(row)]
      if user != lastUser {
        userHash = prefix
        behaviors.users.withBytes(of: Int(user)) { userHash.append($0) }
        userHash.append(UInt8(ascii: "|"))
        lastUser = user
      }
      var hash = userHash
      behaviors.items.withBytes(of: item(row)) { hash.append($0) }
      return splitMix64Finalizer(hash.value)
    }
  }

  private func heldOut(_ rest: [Int32]) -> [Bool] {
    if let until = options.until {
      return rest.map { (behaviors.timestamps?[Int($0)] ?? .nan) >= until }
    }
    let hashes = hashes(rest, word: "warm")
    if options.warmBy == .last { return lastRows(rest, hashes) }
    let threshold = options.warmFraction * 0x1p64
    guard threshold < 0x1p64 else { return Array(repeating: true, count: rest.count) }
    return hashes.map { $0 < UInt64(threshold) }
  }

  /// Holds out the last `warmFraction` of each user's rows; rows of one user stand together.
  private func lastRows(_ rest: [Int32], _ hashes: [UInt64]) -> [Bool] {
    var isHeldOut = [Bool](repeating: false, count: rest.count)
    func time(_ place: Int) -> Double {
      guard let time = behaviors.timestamps?[Int(rest[place])], !time.isNaN else { return 0 }
      return time
    }
    var start = 0
    while start < rest.count {
      var end = start + 1
      while end < rest.count && user(rest[end]) == user(rest[start]) { end += 1 }
      let order = (start..<end).sorted { (time($0), hashes[$0], $0) < (time($1), hashes[$1], $1) }
      for place in order.suffix(Int(options.warmFraction * Double(order.count))) {
        isHeldOut[place] = true
      }
      start = end
    }
    return isHeldOut
  }

  /// Gives each item (or user) without a positive left in training the held-out one of least hash back.
  private func returnOnlyPositives(
    _ rest: [Int32], _ isPositive: [Bool], users: Bool, _ isHeldOut: inout [Bool]
  ) {
    let hashes = hashes(rest, word: "keep")
    let count = users ? behaviors.users.count : behaviors.items.count
    var hasPositive = [Bool](repeating: false, count: count)
    var best = [Int32](repeating: -1, count: count)
    for place in rest.indices where isPositive[Int(rest[place])] {
      let key = users ? user(rest[place]) : item(rest[place])
      if !isHeldOut[place] {
        hasPositive[key] = true
      } else if best[key] < 0 || hashes[place] < hashes[Int(best[key])] {
        best[key] = Int32(place)
      }
    }
    for key in 0..<count where !hasPositive[key] && best[key] >= 0 {
      isHeldOut[Int(best[key])] = false
    }
  }

  private func item(_ row: Int32) -> Int { Int(behaviors.itemIndex[Int(row)]) }

  private func user(_ row: Int32) -> Int { Int(behaviors.userIndex[Int(row)]) }

  private func distinctUsers() -> Int {
    var isUser = [Bool](repeating: false, count: behaviors.users.count)
    for user in behaviors.userIndex { isUser[Int(user)] = true }
    return isUser.reduce(0) { $0 + ($1 ? 1 : 0) }
  }
}
