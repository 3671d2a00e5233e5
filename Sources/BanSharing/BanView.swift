public import AuditLog
public import Model
internal import Synchronization
public import System

/// The bans in force, in memory, for those who ask often: kept up to date by the audit log, so that no question reaches the thread
/// that decides.
///
/// ```swift
/// let view = BanView()
/// // view.consumer is told what is stored, and begins before the view is filled:
/// view.fill(try await daemon.bans(jail: nil))
/// view.ban(of: Address("192.0.2.7")!)
/// ```
public final class BanView: Sendable {
  /// A ban of a block in one jail.
  public struct Entry: Hashable, Sendable {
    public var jail: String
    public var subnet: Subnet
    public var since: Instant
    /// Nil: permanent.
    public var until: Instant?
  }

  fileprivate struct State {
    /// By block, then by jail.
    var bans: [Subnet: [String: Entry]] = [:]
    /// How many blocks of each length there are, so that an address is looked up once a length.
    var lengths: [UInt8: Int] = [:]
    var ended: [Ended] = []
  }

  /// A block of which no ban is left.
  struct Ended: Sendable {
    var entry: Entry
    var time: Instant
  }

  /// How long what has ended is remembered, for bouncers that come back.
  static let memory = TimeSpan.hours(24)
  static let mostEnded = 20_000

  private let state = Mutex(State())

  public init() {}

  public var consumer: DecisionConsumer {
    DecisionConsumer(name: "ban view", kinds: [.ban, .unban], isStored: false) { [self] rows in
      apply(rows)
      return .done
    }
  }

  /// All bans at once, after `consumer` was begun.
  public func fill(_ bans: [Ban]) {
    state.withLock { state in
      for ban in bans {
        guard let subnet = ban.identity.subnet else { continue }
        state.add(Entry(jail: ban.jail, subnet: subnet, since: ban.since, until: ban.until))
      }
    }
  }

  func apply(_ rows: [AuditRow]) {
    state.withLock { state in
      for row in rows {
        guard let subnet = Identity(row.id).subnet else { continue }
        switch row.action {
        case "ban", "extend": state.add(Entry(jail: row.jail, subnet: subnet, since: row.time, until: row.until))
        case "unban": state.remove(row.jail, subnet, at: row.time)
        default: break
        }
      }
      let now = SystemClock.now()
      if let first = state.ended.first, now.since(first.time) > Self.memory || state.ended.count > Self.mostEnded {
        state.ended.removeAll { now.since($0.time) > Self.memory }
        state.ended.removeFirst(max(0, state.ended.count - Self.mostEnded))
      }
    }
  }

  /// A ban that holds for this address, whichever block it is of.
  public func ban(of address: Address, now: Instant = SystemClock.now()) -> Entry? {
    state.withLock { state in
      for length in state.lengths.keys {
        guard let jails = state.bans[Subnet(address, length: length)] else { continue }
        if let entry = jails.values.first(where: { $0.isInForce(at: now) }) { return entry }
      }
      return nil
    }
  }

  /// All that are in force, of each block the one that lasts longest.
  func longest(now: Instant = SystemClock.now()) -> [Subnet: Entry] {
    state.withLock { state in
      state.bans.compactMapValues { jails in
        jails.values.filter { $0.isInForce(at: now) }.max { $0.endsBefore($1) }
      }
    }
  }

  /// Every ban in force.
  func all(now: Instant = SystemClock.now()) -> [Entry] {
    state.withLock { $0.bans.values.flatMap(\.values) }.filter { $0.isInForce(at: now) }
  }

  /// Blocks whose bans have ended lately, and that are not banned again.
  func ended(now: Instant = SystemClock.now()) -> [Entry] {
    state.withLock { state in
      var entries: [Subnet: Entry] = [:]
      for ended in state.ended where state.bans[ended.entry.subnet] == nil { entries[ended.entry.subnet] = ended.entry }
      return Array(entries.values)
    }
  }
}

extension BanView.State {
  fileprivate mutating func add(_ entry: BanView.Entry) {
    if bans[entry.subnet] == nil { lengths[entry.subnet.length, default: 0] += 1 }
    bans[entry.subnet, default: [:]][entry.jail] = entry
  }

  fileprivate mutating func remove(_ jail: String, _ subnet: Subnet, at time: Instant) {
    guard var jails = bans[subnet], let entry = jails.removeValue(forKey: jail) else { return }
    guard jails.isEmpty else {
      bans[subnet] = jails
      return
    }
    bans[subnet] = nil
    ended.append(.init(entry: entry, time: time))
    let count = lengths[subnet.length, default: 1] - 1
    lengths[subnet.length] = count > 0 ? count : nil
  }
}

extension BanView.Entry {
  func endsBefore(_ other: BanView.Entry) -> Bool {
    guard let until else { return false }
    return other.until.map { until < $0 } ?? true
  }

  func isInForce(at now: Instant) -> Bool { until.map { $0 > now } ?? true }
}
