import Model
import Testing

@testable import Detection

/// When enough of a block is banned, the block is.
@Suite struct EscalationTests {
  private static let now = Instant(seconds: 1_795_840_000)

  private static func jail(_ change: (inout Jail) -> Void = { _ in }) -> Jail {
    var jail = Jail(name: "sshd", maxretry: 2, findtime: .minutes(10), bantime: .minutes(5))
    jail.escalation = Escalation(after: 3, within: .minutes(30))
    change(&jail)
    return jail
  }

  /// What is decided on failures, as `IDENTITY CAUSE COUNT`.
  private static func decide(
    _ decider: inout Decider, _ failures: [(address: String, second: Int64)],
    permits: Decider.Permission = { _, _ in true }
  ) -> [String] {
    var decisions: [String] = []
    for (address, second) in failures {
      let time = now.adding(.seconds(second))
      let failure = Failure(time: time, address: Address(address)!, jail: 0, pattern: 0, source: 0)
      decider.consider(failure, now: time, permits: permits) {
        decisions.append("\($0.identity) \($0.cause) \($0.count)")
      }
    }
    return decisions
  }

  private static func twice(_ address: String, _ second: Int64) -> [(address: String, second: Int64)] {
    [(address, second), (address, second + 1)]
  }

  @Test func aBlockIsBannedWithTheLastOfItsAddresses() throws {
    var decider = Decider(jails: [Self.jail()])
    let first = Self.decide(
      &decider, Self.twice("198.51.100.1", 0) + Self.twice("198.51.101.9", 5) + Self.twice("198.51.100.2", 10))
    #expect(first == ["198.51.100.1 limit 2", "198.51.101.9 limit 2", "198.51.100.2 limit 2"])
    #expect(
      Self.decide(&decider, Self.twice("198.51.100.3", 20)) == ["198.51.100.3 limit 2", "198.51.100.0/24 escalated 3"])
    // What it goes on sending from other addresses is covered.
    #expect(Self.decide(&decider, Self.twice("198.51.100.4", 30)).isEmpty)
    #expect(decider.ban(of: Identity("198.51.100.0/24"), in: 0)?.until == Self.now.adding(.seconds(21 + 300)))
    // When it is over, counting begins again, for the block too.
    decider.expire(at: Self.now.adding(.minutes(6))) { _ in }
    #expect(Self.decide(&decider, Self.twice("198.51.100.4", 400)) == ["198.51.100.4 limit 2"])
  }

  @Test func oneAddressAgainAndAgainIsNoBlock() {
    var decider = Decider(jails: [Self.jail()])
    for round in 0..<4 {
      let second = Int64(round) * 400
      #expect(Self.decide(&decider, Self.twice("198.51.100.1", second)) == ["198.51.100.1 limit 2"])
      decider.expire(at: Self.now.adding(.seconds(second + 350))) { _ in }
    }
    // Bans that began too far apart are no reason either.
    #expect(Self.decide(&decider, Self.twice("198.51.100.2", 1250)) == ["198.51.100.2 limit 2"])
    #expect(Self.decide(&decider, Self.twice("198.51.100.3", 3050)) == ["198.51.100.3 limit 2"])
  }

  @Test func whatWasCountedBeforeTheBlocksBanIsVoidAfterIt() {
    var decider = Decider(jails: [Self.jail { $0.findtime = .hours(1) }])
    var failures: [(String, Int64)] = [("198.51.100.50", 0)]
    for i in 1...3 { failures += Self.twice("198.51.100.\(i)", Int64(i) * 10) }
    #expect(Self.decide(&decider, failures).last == "198.51.100.0/24 escalated 3")
    decider.expire(at: Self.now.adding(.seconds(400))) { _ in }
    #expect(Self.decide(&decider, [("198.51.100.50", 500)]).isEmpty)
    #expect(Self.decide(&decider, [("198.51.100.50", 501)]) == ["198.51.100.50 limit 2"])
  }

  @Test func networksOfIPv6AreBlocksOfPrefixes() {
    var decider = Decider(jails: [Self.jail()])
    var failures: [(String, Int64)] = []
    for i in 1...3 { failures += Self.twice("2001:db8:7:\(i)::5", Int64(i) * 10) }
    #expect(Self.decide(&decider, failures).last == "2001:db8:7::/48 escalated 3")
    // Whoever comes through a translator shares its network with the world.
    failures = []
    for i in 1...3 { failures += Self.twice("64:ff9b::c000:20\(i)", 100 + Int64(i) * 10) }
    #expect(Self.decide(&decider, failures).count == 3)
  }

  @Test func whoIsSparedSparesTheBlock() {
    var decider = Decider(jails: [Self.jail { $0.ignore = IgnoreList([Subnet("198.51.100.200")!]) }])
    var asked: [String] = []
    var failures: [(String, Int64)] = []
    for i in 1...4 { failures += Self.twice("198.51.100.\(i)", Int64(i) * 10) }
    let decisions = Self.decide(&decider, failures) { ban, spared in
      if let spared { asked.append("\(ban.identity) \(spared)") }
      return true
    }
    #expect(decisions.count == 4 && !decisions.contains { $0.contains("escalated") })
    #expect(asked == ["198.51.100.0/24 198.51.100.200", "198.51.100.0/24 198.51.100.200"])
    // Refused once, tried again with the next ban.
    var other = Decider(jails: [Self.jail()])
    let refused = Self.decide(&other, failures) { ban, _ in ban.cause != .escalated || ban.count > 3 }
    #expect(refused.last == "198.51.100.0/24 escalated 4")
  }

  @Test func whomAPersonHasUnbannedDoesNotCount() throws {
    var decider = Decider(jails: [Self.jail()])
    _ = Self.decide(&decider, Self.twice("198.51.100.1", 0) + Self.twice("198.51.100.2", 10))
    #expect(
      decider.unban(Identity("198.51.100.1"), jail: 0, at: Self.now.adding(.seconds(15)), cause: .limit) != nil)
    #expect(Self.decide(&decider, Self.twice("198.51.100.3", 20)) == ["198.51.100.3 limit 2"])
    #expect(Self.decide(&decider, Self.twice("198.51.100.4", 30)).last == "198.51.100.0/24 escalated 3")
    // A person's bans are no reason to ban their neighbours.
    for i in 1...5 {
      _ = decider.ban(
        Identity("203.0.113.\(i)"), jail: 0, from: Self.now, until: nil, cause: .operator(uid: 0, command: ""))
    }
    #expect(decider.ban(of: Identity("203.0.113.0/24"), in: 0) == nil)
  }
}
