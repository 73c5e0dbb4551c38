/// The key that requests must carry.
struct APIKey: Sendable {
  private let key: [UInt8]

  init(_ key: String) { self.key = Array(key.utf8) }

  /// Whether a request carries the key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
  func admits(_ request: APIRequest) -> Bool {
    if let given = request.apiKey, matches(given.utf8) { return true }
    guard let header = request.authorization else { return false }
    let parts = header.utf8.split(separator: 0x20, maxSplits: 1)
    guard parts.count == 2, String(Substring(parts[0])).lowercased() == "bearer" else {
      return false
    }
    return matches(parts[1])
  }

  /// Compares in a time that depends on the length of what was given, never on where it differs.
  func matches(_ given: some Collection<UInt8>) -> Bool {
    var difference = UInt(bitPattern: key.count ^ given.count)
    for (place, byte) in given.enumerated() {
      difference |= UInt((key.isEmpty ? 0 : key[place % key.count]) ^ byte)
    }
    return difference == 0
  }
}
