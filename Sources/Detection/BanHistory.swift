internal import Model

/// How often ids were banned before, for ban times that grow. Whoever has not been banned for a while is new again and takes no
/// memory.
struct BanHistory: Sendable {
  private struct Entry {
    var bans: Int
    /// When the last ban was over, or is to be.
    var end: Instant
  }

  private var entries: [UInt128: Entry] = [:]

  var count: Int { entries.count }

  /// The bans before one at `time`; 0 when the last of them was over for `forget`.
  func bans(of key: UInt128, at time: Instant, forget: TimeSpan) -> Int {
    guard let entry = entries[key], time.since(entry.end) < forget else { return 0 }
    return entry.bans
  }

  /// - Parameters:
  ///   - bans: more of them.
  ///   - end: when they are over; nil: never.
  mutating func add(_ bans: Int, of key: UInt128, until end: Instant?, at time: Instant, forget: TimeSpan) {
    let before = self.bans(of: key, at: time, forget: forget)
    let last = before > 0 ? entries[key]?.end : nil
    entries[key] = Entry(bans: before + bans, end: max(end ?? Instant(microseconds: .max), last ?? time))
  }

  mutating func shrink(at time: Instant, forget: TimeSpan) {
    entries = entries.filter { time.since($0.value.end) < forget }
  }
}
