import Model
import Testing

@testable import BanSharing

/// What a bouncer is told, and when; the rules are those that Debian's bouncers need (see `Bouncer`).
struct BouncerTests {
  private static let start = Instant(seconds: 1_795_840_000)

  private static func bans(_ ends: [String: Int64?]) -> [Subnet: BanView.Entry] {
    var bans: [Subnet: BanView.Entry] = [:]
    for (text, end) in ends {
      let subnet = Subnet(text)!
      bans[subnet] = .init(jail: "sshd", subnet: subnet, since: start, until: end.map { start.adding(.seconds($0)) })
    }
    return bans
  }

  private static func text(_ change: Bouncer.Change) -> String {
    let deleted = change.deleted.map { "-\($0.subnet)" }.sorted()
    return (deleted + change.new.map { "+\($0.subnet)" }.sorted()).joined(separator: " ")
  }

  @Test func itIsToldDifferences() {
    var bouncer = Bouncer()
    func step(_ ends: [String: Int64?], at time: Double, all: Bool = false) -> String {
      Self.text(bouncer.change(to: Self.bans(ends), all: all, ended: { [] }, at: time))
    }
    #expect(step(["192.0.2.1": 600, "192.0.2.2": nil], at: 0, all: true) == "+192.0.2.1 +192.0.2.2")
    #expect(step(["192.0.2.1": 600, "192.0.2.2": nil], at: 1) == "")
    // An end comes in two answers, the first of which may have been lost.
    #expect(step(["192.0.2.2": nil, "192.0.2.3": 60], at: 2) == "-192.0.2.1 +192.0.2.3")
    #expect(step(["192.0.2.2": nil, "192.0.2.3": 60], at: 3) == "-192.0.2.1")
    #expect(step(["192.0.2.2": nil, "192.0.2.3": 60], at: 4) == "")
    // One that asks for all of it has nothing.
    #expect(step(["192.0.2.2": nil, "192.0.2.3": 60], at: 5, all: true) == "+192.0.2.2 +192.0.2.3")
  }

  /// A prolonged ban replaces the old one, once the bouncer has forgotten that it was told of the address.
  @Test func aProlongedBanIsReplaced() {
    var bouncer = Bouncer()
    func step(_ end: Int64?, at time: Double) -> String {
      Self.text(bouncer.change(to: Self.bans(["192.0.2.1": end]), all: false, ended: { [] }, at: time))
    }
    #expect(step(60, at: 0) == "+192.0.2.1")
    #expect(step(600, at: 4) == "")
    #expect(step(600, at: 10) == "-192.0.2.1 +192.0.2.1")
    #expect(step(600, at: 30) == "")
  }

  /// Banned again right after its end: a running ban is never among the deleted, and is not lost.
  @Test func whoComesBackWaitsForTheBouncer() {
    var bouncer = Bouncer()
    func step(_ ends: [String: Int64?], at time: Double) -> String {
      Self.text(bouncer.change(to: Self.bans(ends), all: false, ended: { [] }, at: time))
    }
    #expect(step(["192.0.2.1": 60], at: 0) == "+192.0.2.1")
    #expect(step([:], at: 2) == "-192.0.2.1")
    #expect(step(["192.0.2.1": 600], at: 4) == "")
    #expect(step(["192.0.2.1": 600], at: 13) == "+192.0.2.1")
  }

  /// After a restart of ours it is not known what it has: all of it is told, and what has ended lately.
  @Test func afterARestartItIsToldWhatEnded() {
    var bouncer = Bouncer()
    let ended = Array(Self.bans(["192.0.2.9": 1]).values)
    let change = bouncer.change(to: Self.bans(["192.0.2.1": 60]), all: false, ended: { ended }, at: 0)
    #expect(Self.text(change) == "-192.0.2.9 +192.0.2.1")
  }

  /// Go's form, above zero: 0 would be for ever, and what cannot be read four hours.
  @Test func durationsAreGos() {
    let now = Self.start
    #expect(DecisionJSON.duration(now.adding(.seconds(3600)), now) == "3600.000s")
    #expect(DecisionJSON.duration(now.adding(TimeSpan(microseconds: 90_500_000)), now) == "90.500s")
    #expect(DecisionJSON.duration(now.adding(.seconds(-5)), now) == "1.000s")
    #expect(DecisionJSON.duration(nil, now) == "8760h")
  }

  @Test func addressesAreFoundInTheirBlocks() {
    let view = BanView()
    view.fill([
      Ban(
        jail: "a", identity: Identity("192.0.2.0/24"), since: Self.start, until: nil, count: 1, number: 1, applied: true
      ),
      Ban(
        jail: "a", identity: Identity("2001:db8::/64"), since: Self.start, until: Self.start.adding(.seconds(60)),
        count: 1,
        number: 1, applied: true),
    ])
    func isBanned(_ text: String, after seconds: Int64 = 1) -> Bool {
      view.ban(of: Address(text)!, now: Self.start.adding(.seconds(seconds))) != nil
    }
    #expect(isBanned("192.0.2.77") && isBanned("2001:db8::1") && !isBanned("192.0.3.1") && !isBanned("2001:db8:0:1::1"))
    #expect(!isBanned("2001:db8::1", after: 61) && isBanned("::ffff:192.0.2.77"))
    #expect(view.longest(now: Self.start).count == 2 && view.longest(now: Self.start.adding(.seconds(61))).count == 1)
  }
}
