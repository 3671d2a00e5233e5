/// Hashes the keys of ids: multiply and fold, with secrets in both factors, so that an attacker who chooses addresses cannot
/// choose collisions.
struct KeyHash: Sendable {
  private let seed: (UInt64, UInt64)

  init(seed: (UInt64, UInt64)) { self.seed = seed }

  func of(_ key: UInt128) -> UInt64 {
    let product = (UInt64(truncatingIfNeeded: key) ^ seed.0).multipliedFullWidth(
      by: UInt64(truncatingIfNeeded: key >> 64) ^ seed.1)
    let folded = (product.high ^ product.low).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15 ^ seed.0)
    return folded.high ^ folded.low
  }
}
