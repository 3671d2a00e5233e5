import Model
import Testing

@testable import Detection

/// Who shares a block with somebody who must not be banned, or with strangers, is counted and banned alone.
@Suite struct ApartTests {
  private static let now = Instant(seconds: 1_795_840_000)

  private static func failure(_ address: String, _ seconds: Int64) -> Failure {
    Failure(time: now.adding(.seconds(seconds)), address: Address(address)!, jail: 0, pattern: 0, source: 0)
  }

  private static func bans(_ decider: inout Decider, _ addresses: [String]) -> [String] {
    var bans: [String] = []
    for (i, address) in addresses.enumerated() {
      let failure = failure(address, Int64(i))
      decider.consider(failure, now: failure.time) { bans.append($0.identity.description) }
    }
    return bans
  }

  @Test func aNeighbourInTheServersOwnPrefixIsBannedAlone() {
    var decider = Decider(jails: [Jail(name: "sshd", maxretry: 3)])
    decider.countApart([Address("2001:db8:1:2::1")!])
    let neighbour = Array(repeating: "2001:db8:1:2::bad", count: 3)
    #expect(Self.bans(&decider, neighbour) == ["2001:db8:1:2::bad"])
    // What it goes on sending is recorded and not counted.
    #expect(Self.bans(&decider, neighbour).isEmpty)
    // One slip of another neighbour is one slip.
    #expect(Self.bans(&decider, ["2001:db8:1:2::a", "2001:db8:1:2::b", "2001:db8:1:2::c"]).isEmpty)
    // Everybody else is counted by the prefix.
    #expect(
      Self.bans(&decider, ["2001:db8:9::1", "2001:db8:9::2", "2001:db8:9::3"]) == ["2001:db8:9::/64"])
    let identity = Identity("2001:db8:1:2::bad")
    #expect(decider.ban(of: identity, in: 0) != nil)
    #expect(decider.unban(identity, jail: 0, at: Self.now, cause: .limit) != nil)
    #expect(decider.banCount(in: 0) == 1)
  }

  @Test func bansAreFoundWhenSomebodyComesToProtect() {
    var decider = Decider(jails: [Jail(name: "sshd", maxretry: 1)])
    #expect(Self.bans(&decider, ["2001:db8:1:2::bad"]) == ["2001:db8:1:2::/64"])
    decider.countApart([Address("2001:db8:1:2::1")!])
    #expect(decider.ban(of: Identity("2001:db8:1:2::/64"), in: 0) != nil)
    #expect(Self.bans(&decider, ["2001:db8:1:2::bad"]) == ["2001:db8:1:2::bad"])
    #expect(decider.reload([Jail(name: "sshd", maxretry: 1)]).isEmpty)
    for ban in ["2001:db8:1:2::/64", "2001:db8:1:2::bad"] {
      #expect(decider.unban(Identity(ban), jail: 0, at: Self.now, cause: .limit) != nil)
    }
    #expect(decider.banCount(in: 0) == 0)
  }

  /// The first address of a block and the block are two things.
  @Test func theFirstAddressOfABlockIsNotTheBlock() {
    var decider = Decider(jails: [Jail(name: "sshd", maxretry: 1)])
    for ban in ["2001:db8::/64", "2001:db8::", "2001:db8::/48", "192.0.2.0", "192.0.2.0/24"] {
      _ = decider.ban(Identity(ban), jail: 0, from: Self.now, until: nil, cause: .limit)
    }
    #expect(decider.banCount(in: 0) == 5)
    #expect(
      decider.unban(Identity("2001:db8::"), jail: 0, at: Self.now, cause: .limit)?.identity == Identity("2001:db8::"))
    #expect(decider.banCount(in: 0) == 4)
  }

  @Test(arguments: [
    "64:ff9b::c000:207", "64:ff9b:1::c000:207", "::ffff:0:192.0.2.7", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  ])
  func whoSharesItsPrefixWithTheWorldIsBannedAlone(_ address: String) {
    var decider = Decider(jails: [Jail(name: "sshd", maxretry: 3)])
    #expect(Self.bans(&decider, [address, address, address]) == [Address(address)!.description])
  }

  @Test func anIgnoredIPv4AddressIsIgnoredBehindATranslator() {
    let ignore = IgnoreList([Subnet("192.0.2.0/24")!])
    #expect(ignore.contains(Address("64:ff9b::c000:207")!))
    #expect(!ignore.contains(Address("64:ff9b::c633:6407")!))
    #expect(!ignore.contains(Address("64:ff9b:1::c000:207")!))
    #expect(ignore.overlapping(Subnet("64:ff9b::c000:207")!) == Subnet("192.0.2.0/24")!)
    #expect(ignore.overlapping(Subnet("192.0.0.0/16")!) == Subnet("192.0.2.0/24")!)
    #expect(ignore.overlapping(Subnet("192.0.3.0/24")!) == nil)
  }

  @Test func whatIsNotPermittedNeverWasABan() {
    var decider = Decider(jails: [Jail(name: "sshd", maxretry: 2, increment: BanIncrement())])
    var asked: [Int] = []
    for i in 0..<6 {
      let failure = Self.failure("192.0.2.7", Int64(i))
      // swift-format-ignore: OnlyOneTrailingClosureArgument
      decider.consider(
        failure, now: failure.time,
        permits: { ban, _ in
          asked.append(ban.number)
          return false
        }
      ) { _ in Issue.record("a ban that was not permitted") }
    }
    #expect(asked == [1, 1, 1])
    #expect(decider.banCount(in: 0) == 0 && decider.tally(of: 0).bans == 0)
    #expect(Self.bans(&decider, ["192.0.2.7", "192.0.2.7"]) == ["192.0.2.7"])
  }
}
