internal import Model
internal import Synchronization
internal import System

/// Slows down who guesses passwords: after a few failures within a quarter of an hour an address, and a user's name, wait longer
/// each time. What Bailiff's own jail makes of the failures comes on top.
final class LoginThrottle: Sendable {
  private struct Entry {
    var failures: Int
    /// Monotonic seconds: putting the machine's clock forward lets nobody guess on.
    var last: Double
  }

  private static let free = 5
  private static let memory = 900.0
  private static let longest: Int64 = 300
  private static let most = 10_000

  private let entries = Mutex<[String: Entry]>([:])
  private let clock: @Sendable () -> Double

  /// - Parameter clock: monotonic seconds.
  init(clock: @escaping @Sendable () -> Double = { monotonicSeconds() }) { self.clock = clock }

  /// Seconds to wait before the next attempt; 0: none.
  func wait(_ address: Address?, _ user: String?) -> Int64 {
    let now = clock()
    return entries.withLock { Self.wait($0, Self.keys(address, user), now) }
  }

  func failed(_ address: Address?, _ user: String?) {
    let now = clock()
    entries.withLock { Self.count(&$0, Self.keys(address, user), now) }
  }

  /// As `wait`; an attempt that need not wait counts as failed until it has `succeeded`. A password takes a while to check, and
  /// attempts at once would else all be the first.
  func begin(_ address: Address?, _ user: String?) -> Int64 {
    let now = clock()
    let keys = Self.keys(address, user)
    return entries.withLock { entries in
      let wait = Self.wait(entries, keys, now)
      if wait == 0 { Self.count(&entries, keys, now) }
      return wait
    }
  }

  private static func wait(_ entries: [String: Entry], _ keys: [String], _ now: Double) -> Int64 {
    keys.map { key -> Int64 in
      guard let entry = entries[key], now - entry.last < memory, entry.failures >= free else { return 0 }
      let pause = min(longest, 1 << Int64(min(entry.failures - free, 20)))
      return max(0, Int64((Double(pause) - (now - entry.last)).rounded(.up)))
    }.max() ?? 0
  }

  private static func count(_ entries: inout [String: Entry], _ keys: [String], _ now: Double) {
    if entries.count >= most { entries = entries.filter { now - $0.value.last < memory } }
    if entries.count >= most { entries.removeAll() }
    for key in keys {
      let known = entries[key].flatMap { now - $0.last < memory ? $0.failures : nil } ?? 0
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
