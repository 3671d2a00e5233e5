internal import Model
internal import Synchronization

/// Slows down who guesses passwords: after a few failures within a quarter of an hour an address, and a user's name, wait longer
/// each time. What Bailiff's own jail makes of the failures comes on top.
final class LoginThrottle: Sendable {
  private struct Entry {
    var failures: Int
    var last: Instant
  }

  private static let free = 5
  private static let memory = TimeSpan.minutes(15)
  private static let longest: Int64 = 300
  private static let most = 10_000

  private let entries = Mutex<[String: Entry]>([:])

  /// Seconds to wait before the next attempt; 0: none.
  func wait(_ address: Address?, _ user: String?, at now: Instant) -> Int64 {
    entries.withLock { Self.wait($0, Self.keys(address, user), now) }
  }

  func failed(_ address: Address?, _ user: String?, at now: Instant) {
    entries.withLock { Self.count(&$0, Self.keys(address, user), now) }
  }

  /// As `wait`; an attempt that need not wait counts as failed until it has `succeeded`. A password takes a while to check, and
  /// attempts at once would else all be the first.
  func begin(_ address: Address?, _ user: String?, at now: Instant) -> Int64 {
    let keys = Self.keys(address, user)
    return entries.withLock { entries in
      let wait = Self.wait(entries, keys, now)
      if wait == 0 { Self.count(&entries, keys, now) }
      return wait
    }
  }

  private static func wait(_ entries: [String: Entry], _ keys: [String], _ now: Instant) -> Int64 {
    keys.map { key -> Int64 in
      guard let entry = entries[key], now.since(entry.last) < memory, entry.failures >= free else { return 0 }
      let pause = min(longest, 1 << Int64(min(entry.failures - free, 20)))
      return max(0, pause - now.since(entry.last).seconds)
    }.max() ?? 0
  }

  private static func count(_ entries: inout [String: Entry], _ keys: [String], _ now: Instant) {
    if entries.count >= most { entries = entries.filter { now.since($0.value.last) < memory } }
    if entries.count >= most { entries.removeAll() }
    for key in keys {
      let known = entries[key].flatMap { now.since($0.last) < memory ? $0.failures : nil } ?? 0
      entries[key] = Entry(failures: known + 1, last: now)
    }
  }

  func succeeded(_ address: Address?, _ user: String?) {
    entries.withLock { entries in for key in Self.keys(address, user) { entries[key] = nil } }
  }

  /// An IPv6 client has a /64 of addresses.
  private static func keys(_ address: Address?, _ user: String?) -> [String] {
    let from = address.map { "address \(Subnet($0, ipv4Prefix: 32, ipv6Prefix: 64))" }
    return [from, user.map { "user \($0.prefix(64))" }].compactMap { $0 }
  }
}
