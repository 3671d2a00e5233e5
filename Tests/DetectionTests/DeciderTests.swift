import Detection
import Model
import Testing

@Suite struct DeciderTests {
  private func failure(_ address: String, _ second: Int64, weight: UInt32 = 1, count: UInt32 = 1) -> Failure {
    var failure = Failure(time: Instant(seconds: second), address: Address(address)!, jail: 0, pattern: 0, source: 0)
    failure.weight = weight
    failure.count = count
    return failure
  }

  private func run(_ decider: inout Decider, _ failures: [Failure], now: Int64 = 1_000_000) -> [Decision] {
    var decisions: [Decision] = []
    for failure in failures {
      decider.consider(failure, now: Instant(seconds: now)) { decisions.append($0) }
    }
    return decisions
  }

  private func decider(_ change: (inout Jail) -> Void = { _ in }) -> Decider {
    var jail = Jail(name: "sshd", maxretry: 3, findtime: .minutes(10), bantime: .hours(1))
    change(&jail)
    return Decider(jails: [jail], seed: (1, 2))
  }

  @Test func theThirdFailureBans() {
    var decider = decider()
    let decisions = run(&decider, (0..<5).map { failure("192.0.2.7", 100 + $0) })
    #expect(
      decisions == [
        Decision(
          action: .ban, jail: "sshd", identity: Identity("192.0.2.7"), time: Instant(seconds: 102),
          until: Instant(seconds: 3702), count: 3)
      ])
    #expect(decider.tally(of: 0).failures == 5)
    #expect(decider.tally(of: 0).bans == 1)
  }

  @Test func aBanThatIsOverCanFallAgain() {
    var decider = decider()
    let decisions = run(&decider, [0, 1, 2, 3601, 3602, 3603, 3604].map { failure("192.0.2.7", $0) })
    #expect(decisions.map(\.time.seconds) == [2, 3604])
    #expect(decisions.map(\.number) == [1, 1])
  }

  @Test func bansGrow() {
    var decider = decider { $0.increment = BanIncrement(factor: 2, maxtime: .hours(3)) }
    var times: [Int64] = []
    for n in 0..<4 as Range<Int64> { times += [0, 1, 2].map { n * 100_000 + $0 } }
    let decisions = run(&decider, times.map { failure("192.0.2.7", $0) })
    #expect(decisions.map { $0.until!.since($0.time).seconds } == [3600, 7200, 10_800, 10_800])
    #expect(decisions.map(\.number) == [1, 2, 3, 4])
  }

  /// Whoever has not been banned for `forget` is new again: counted from the end of the last ban, however long that was.
  @Test func oldBansAreForgotten() {
    var decider = decider { $0.increment = BanIncrement(factor: 2, forget: .hours(10)) }
    func attack(_ hour: Int64) -> [Failure] { (0..<3).map { failure("192.0.2.7", hour * 3600 + $0) } }
    let far: Int64 = 10_000_000
    // The second lasts from 10 to 12, so that 21 is within ten hours of its end, and 50 not.
    let decisions = run(&decider, [0, 10, 21, 50].flatMap(attack), now: far)
    #expect(decisions.map(\.number) == [1, 2, 3, 1])
    // A restart knows the same, and an hour without anybody leaves nothing in memory.
    decider.restoreHistory(Identity("192.0.2.8"), jail: "sshd", bans: 4, until: Instant(seconds: 50 * 3600))
    let again = run(&decider, (0..<3).map { failure("192.0.2.8", 52 * 3600 + $0) }, now: far)
    #expect(again.map(\.number) == [5])
    decider.restoreHistory(Identity("192.0.2.9"), jail: "sshd", bans: 4, until: nil)
    let never = run(&decider, (0..<3).map { failure("192.0.2.9", 2000 * 3600 + $0) }, now: far)
    #expect(never.map(\.number) == [5])
    decider.shrink(at: Instant(seconds: far))
    #expect(decider.remembered(in: 0) == 1, "whose ban never ends is not forgotten")
  }

  @Test func incrementsFollowMultipliersAndRandom() {
    let increment = BanIncrement(multipliers: [1, 5, 30], rndtime: .seconds(10))
    #expect(increment.duration(.seconds(60), number: 2).seconds == 300)
    #expect(increment.duration(.seconds(60), number: 9).seconds == 1800)
    #expect((1800...1810).contains(increment.duration(.seconds(60), number: 9, random: 123_456_789).seconds))
    #expect(BanIncrement().duration(.hours(24 * 365), number: 1_000).seconds > 0)
    #expect(BanIncrement(factor: 1e300).duration(.hours(1), number: 20).microseconds == .max)
  }

  @Test func futureTimesAreNow() {
    var decider = decider()
    let decisions = run(&decider, [10, 99_999_999, 12].map { failure("192.0.2.7", $0) }, now: 11)
    #expect(decisions.map(\.time.seconds) == [11])
  }

  @Test func ignoredAddressesAreNotCounted() {
    var decider = decider { $0.ignore = IgnoreList([Subnet("192.0.2.0/24")!]) }
    #expect(run(&decider, (0..<9).map { failure("192.0.2.7", $0) }).isEmpty)
    #expect(decider.tally(of: 0).ignored == 9)
  }

  @Test func prefixesCountTogether() {
    var decider = decider()
    let decisions = run(&decider, [failure("2001:db8::1", 1), failure("2001:db8::2", 2), failure("2001:db8::3", 3)])
    #expect(decisions.map(\.identity.description) == ["2001:db8::/64"])
  }

  @Test func weightsAndCounts() {
    var decider = decider()
    #expect(run(&decider, (0..<9).map { failure("192.0.2.7", $0, weight: 0) }).isEmpty)
    #expect(run(&decider, [failure("192.0.2.8", 1, count: 3)]).count == 1)
    #expect(run(&decider, [failure("192.0.2.9", 1, weight: .max, count: .max)]).count == 1)
  }

  @Test func unbanForgetsTheWindow() {
    var decider = decider()
    _ = run(&decider, (0..<3).map { failure("192.0.2.7", $0) })
    let lifted = decider.unban(
      Identity("192.0.2.7"), jail: 0, at: Instant(seconds: 5), cause: .operator(uid: 0, command: "unban"))
    #expect(lifted?.action == .unban)
    #expect(decider.unban(Identity("192.0.2.7"), jail: 0, at: Instant(seconds: 5), cause: .expired) == nil)
    #expect(run(&decider, [failure("192.0.2.7", 6), failure("192.0.2.7", 7)]).isEmpty)
    #expect(run(&decider, [failure("192.0.2.7", 8)]).count == 1)
  }

  @Test func bansEndInOrder() {
    var decider = decider()
    _ = run(&decider, (0..<3).map { failure("192.0.2.8", 10 + $0) })
    _ = run(&decider, (0..<3).map { failure("192.0.2.7", $0) })
    var ended: [String] = []
    decider.expire(at: Instant(seconds: 3601)) { ended.append($0.identity.description) }
    #expect(ended.isEmpty)
    decider.expire(at: Instant(seconds: 4000)) { ended.append($0.identity.description) }
    #expect(ended == ["192.0.2.7", "192.0.2.8"])
  }

  /// After a restart the window is what it was: two failures from before and one after make three.
  @Test func windowsAreRestored() {
    var decider = decider()
    decider.restore(failure("192.0.2.7", 1))
    decider.restore(failure("192.0.2.7", 2))
    #expect(run(&decider, [failure("192.0.2.7", 3)]).count == 1)
    var banned = self.decider()
    banned.restore(
      Ban(
        jail: "sshd", identity: Identity("192.0.2.7"), since: Instant(seconds: 0), until: Instant(seconds: 100),
        count: 3,
        number: 1, applied: true))
    #expect(run(&banned, (0..<9).map { failure("192.0.2.7", 50 + $0) }).isEmpty)
  }

  @Test func anOperatorsBlockIsNotAnAddress() {
    var decider = decider()
    _ = decider.ban(
      Identity("192.0.2.0/24"), jail: 0, from: Instant(seconds: 0), until: nil, cause: .operator(uid: 0, command: "ban")
    )
    #expect(decider.ban(of: Identity("192.0.2.0"), in: 0) == nil)
    #expect(decider.ban(of: Identity("192.0.2.0/24"), in: 0) != nil)
  }
}
