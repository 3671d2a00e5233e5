internal import Model

/// What one bouncer was given: it is told differences, and never asks for all of it again (CrowdSec's `decisions/stream`).
///
/// A ban that was prolonged is `deleted` and `new` in one answer: a firewall bouncer keeps the first end of an address
/// that it has. An address about which something was said in the last ten seconds is not spoken of again: the custom bouncer adds
/// and deletes a value at most once in so long (its `cache_retention_duration`), and would lose the second.
struct Bouncer {
  struct Change {
    var deleted: [BanView.Entry] = []
    var new: [BanView.Entry] = []
  }

  private struct Given {
    var entry: BanView.Entry
    /// Monotonic seconds.
    var at: Double
  }

  static let pause = 10.0

  private var given: [Subnet: Given] = [:]
  /// What was deleted in the last answer comes once more: the answer may not have arrived.
  private var deletedLast: [BanView.Entry] = []
  private var deletedAt: [Subnet: Double] = [:]
  private var isKnown = false

  /// - Parameters:
  ///   - all: does it begin with nothing?
  ///   - ended: asked where it is not known what it has.
  mutating func change(
    to bans: [Subnet: BanView.Entry], all: Bool, ended: () -> [BanView.Entry], at now: Double
  ) -> Change {
    var change = Change()
    if all || !isKnown {
      // After a restart of ours it may hold what has ended meanwhile.
      given = [:]
      deletedAt = [:]
      deletedLast = []
      change.deleted = ended()
    } else {
      change.deleted = deletedLast.filter { bans[$0.subnet] == nil }
      deletedLast = []
      for (subnet, old) in given where bans[subnet] == nil {
        given[subnet] = nil
        change.deleted.append(old.entry)
        deletedLast.append(old.entry)
        deletedAt[subnet] = now
      }
    }
    isKnown = true
    deletedAt = deletedAt.filter { now - $0.value < Self.pause }
    for (subnet, entry) in bans {
      if let old = given[subnet] {
        guard old.entry.until != entry.until, now - old.at >= Self.pause else { continue }
        change.deleted.append(old.entry)
      } else if deletedAt[subnet] != nil {
        continue
      }
      given[subnet] = Given(entry: entry, at: now)
      change.new.append(entry)
    }
    return change
  }

  /// Blocks that it was given.
  var blocks: Int { given.keys.count { !$0.isSingleAddress } }
}
