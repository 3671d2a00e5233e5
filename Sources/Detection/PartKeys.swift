internal import Model

/// The keys of windows in a jail that counts each account or application of an address by itself.
///
/// Nobody knows which windows an address has, and a ban voids all of them. So a key also tells how often everything about the
/// address was forgotten: windows of before are not found again, and go when they are old.
struct PartKeys: Sendable {
  private struct Past {
    /// How often it was forgotten.
    var times: UInt64 = 0
    var last = Instant(microseconds: .min)
    /// The time of its newest failure.
    var used = Instant(microseconds: .min)
  }

  private var forgotten: [UInt128: Past] = [:]
  private let high: KeyHash
  private let low: KeyHash

  init(seed: (UInt64, UInt64)) {
    high = KeyHash(seed: seed)
    low = KeyHash(seed: (seed.1 &* 0x9E37_79B9_7F4A_7C15 | 1, seed.0 ^ 0xD1B5_4A32_D192_ED03))
  }

  /// The key of a part's window; without a part the id's own.
  func key(of id: UInt128, part: UInt64) -> UInt128 {
    guard part != 0 else { return id }
    let times = forgotten.isEmpty ? 0 : forgotten[id]?.times ?? 0
    let whole = id ^ (UInt128(part) << 64 | UInt128(times &* 0xBF58_476D_1CE4_E5B9))
    return UInt128(high.of(whole)) << 64 | UInt128(low.of(whole))
  }

  /// The same for a failure that is counted at `time`: as long as one of those counts, what was before it is not forgotten.
  mutating func key(of id: UInt128, part: UInt64, at time: Instant) -> UInt128 {
    if part != 0, !forgotten.isEmpty, let used = forgotten[id]?.used, used < time { forgotten[id]?.used = time }
    return key(of: id, part: part)
  }

  /// Forgets all windows of an id, none of which has a failure from after `time`.
  mutating func forget(_ id: UInt128, at time: Instant) {
    let past = forgotten[id] ?? Past()
    forgotten[id] = Past(times: past.times + 1, last: time, used: max(past.used, time))
  }

  /// The same, once for each `time`.
  mutating func forget(_ id: UInt128, before time: Instant) {
    if let last = forgotten[id]?.last, last >= time { return }
    forget(id, at: time)
  }

  /// Drops what no window can be from any more.
  mutating func expire(before oldest: Instant) {
    if !forgotten.isEmpty { forgotten = forgotten.filter { $0.value.used >= oldest } }
  }
}
