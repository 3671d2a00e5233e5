import Model
import Testing

@testable import Detection

@Suite struct AlertDetectorTests {
  private static let start = Instant(rfc3339: "2026-11-20T12:00:00Z")!

  /// Feeds a detector as a log would.
  private struct Log {
    var detector: AlertDetector
    var now = AlertDetectorTests.start
    var told: [Alert] = []
    /// What a store would have of it.
    var failures: [(address: String, user: String, jail: UInt16, time: Instant)] = []
    var sightings: [Sighting] = []

    init(_ limits: AlertLimits = AlertLimits()) {
      detector = AlertDetector(limits, jails: ["sshd", "pam"], seed: (1, 2))
    }

    mutating func fail(
      _ address: String, _ user: String, jail: UInt16 = 0, weight: UInt32 = 1, after: TimeSpan = .seconds(1)
    ) {
      now = now.adding(after)
      failures.append((address, user, jail, now))
      note(address, user, jail, weight)
    }

    private mutating func note(_ address: String, _ user: String, _ jail: UInt16, _ weight: UInt32) {
      var batch = FailureBatch()
      var failure = Failure(time: now, address: Address(address)!, jail: jail, pattern: 0, source: 0)
      failure.weight = weight
      failure.user = batch.store(Array(user.utf8).span)
      detector.note(failure, in: batch) { told.append($0) }
    }

    mutating func act(
      _ event: ActivityEvent, _ user: String, from address: String? = nil, target: String = "", jail: UInt16 = 0,
      ban: String? = nil, after: TimeSpan = .seconds(1)
    ) {
      now = now.adding(after)
      var batch = FailureBatch()
      var activity = Activity(
        time: now, event: event, address: address.flatMap { Address($0) }, jail: jail, pattern: 0, source: 0)
      activity.user = batch.store(Array(user.utf8).span)
      activity.target = batch.store(Array(target.utf8).span)
      detector.consider(activity, in: batch, ban: ban) { told.append($0) }
      sightings += detector.takeSightings()
    }

    /// The same after a restart: what it knew comes from the store, in whatever order.
    mutating func restart() {
      var fresh = AlertDetector(detector.limits, jails: ["sshd", "pam"], seed: (3, 4))
      var latest: [Sighting.Key: Sighting] = [:]
      for sighting in sightings { latest[sighting.key] = sighting }
      fresh.restore(Array(latest.values))
      fresh.restore(told.reversed())
      for known in failures.reversed() {
        var batch = FailureBatch()
        var failure = Failure(
          time: known.time, address: Address(known.address)!, jail: known.jail, pattern: 0, source: 0)
        failure.user = batch.store(Array(known.user.utf8).span)
        fresh.restore(failure, in: batch)
      }
      detector = fresh
    }

    var kinds: [Alert.Kind] { told.map(\.kind) }
  }

  @Test func aLoginAfterFailures() {
    var log = Log()
    for _ in 0..<4 { log.fail("192.0.2.7", "alice") }
    log.act(.login, "alice", from: "192.0.2.7")
    #expect(log.kinds == [])
    log.fail("192.0.2.7", "bob")
    log.fail("192.0.2.7", "bob", weight: 0)
    log.act(.login, "carol", from: "192.0.2.8")
    log.act(.logout, "alice", from: "192.0.2.7")
    #expect(log.kinds == [])
    log.act(.login, "alice", from: "192.0.2.7")
    #expect(log.kinds == [.loginAfterFailures])
    #expect(
      log.told[0].count == 5 && log.told[0].since == Self.start.adding(.seconds(1)) && log.told[0].user == "alice")
    // Once an hour is enough.
    log.act(.login, "alice", from: "192.0.2.7")
    #expect(log.kinds.count == 1)
    log.act(.login, "alice", from: "192.0.2.7", after: .hours(2))
    #expect(log.kinds.count == 2)
  }

  /// PAM's jail and sshd's tell of the same attempt.
  @Test func anAttemptThatTwoJailsCountIsOne() {
    var log = Log()
    for _ in 0..<3 {
      log.fail("192.0.2.7", "alice", jail: 0)
      log.fail("192.0.2.7", "alice", jail: 1)
    }
    log.act(.login, "alice", from: "192.0.2.7")
    #expect(log.kinds == [])
  }

  @Test func aNetworkThatTheAccountDidNotUseLately() {
    var log = Log()
    log.act(.login, "alice", from: "192.0.2.7")
    log.act(.login, "alice", from: "192.0.2.200", after: .hours(2))
    log.act(.login, "bob", from: "198.51.100.7")
    #expect(log.kinds == [], "an account's first network is learned; one network is one network")
    log.act(.login, "alice", from: "198.51.100.7")
    #expect(log.kinds == [.newNetwork] && log.told[0].text.contains("198.51.100.0/24"))
    log.act(.login, "alice", from: "198.51.100.9", after: .hours(24 * 29))
    #expect(log.kinds.count == 1)
    log.act(.login, "alice", from: "192.0.2.7", after: .hours(24 * 2))
    #expect(log.kinds.count == 2 && log.told[1].text.contains("for 31 days"))
    // Another service's account of that name is another one.
    log.act(.login, "alice", from: "203.0.113.7", jail: 1)
    #expect(log.kinds.count == 2)
    log.act(.login, "alice", from: "2001:db8:0:1::7")
    log.act(.login, "alice", from: "2001:db8:0:2::7", after: .hours(2))
    #expect(log.kinds.count == 3, "a /48 is one network")
  }

  /// One try an hour, over restarts.
  @Test(arguments: [false, true]) func slowSprayingOfAnAddress(restarts: Bool) {
    var log = Log()
    for hour in 0..<12 {
      log.fail("192.0.2.7", "user\(hour)", after: .hours(1))
      if restarts { log.restart() }
      #expect(log.kinds == (hour < 9 ? [] : [.manyAccounts]), "\(hour)")
    }
    #expect(log.told[0].address == Address("192.0.2.7") && log.told[0].count == 10)
    #expect(log.told[0].since == Self.start.adding(.hours(1)))
    // The same few names for days are no spraying.
    var calm = Log()
    for hour in 0..<100 { calm.fail("192.0.2.7", "user\(hour % 9)", after: .hours(1)) }
    #expect(calm.kinds == [])
    // Nor are many in a year.
    var rare = Log()
    for day in 0..<40 { rare.fail("192.0.2.7", "user\(day)", after: .hours(12)) }
    #expect(rare.kinds == [])
  }

  @Test(arguments: [false, true]) func manyAddressesAtOneAccount(restarts: Bool) {
    var log = Log()
    for index in 0..<30 {
      log.fail("198.51.100.\(index)", "root", after: .minutes(45))
      log.fail("2001:db8::\(index)", "other", after: .seconds(1))
      if restarts { log.restart() }
    }
    #expect(log.kinds == [.manyAddresses], "addresses of one /64 are one client")
    #expect(log.told[0].user == "root" && log.told[0].address == nil && log.told[0].count == 20)
    // A day later it is told again.
    for index in 0..<30 { log.fail("203.0.113.\(index)", "root", after: .minutes(45)) }
    #expect(log.kinds == [.manyAddresses, .manyAddresses])
  }

  @Test(arguments: [false, true]) func whatWasToldStaysTold(restarts: Bool) {
    var log = Log()
    log.act(.login, "alice", from: "192.0.2.7")
    log.act(.command, "alice", target: "root", jail: 1)
    log.act(.login, "bob", from: "192.0.2.9", ban: "sshd")
    if restarts { log.restart() }
    #expect(log.kinds == [.firstPrivilege, .bannedLogin])
    log.act(.command, "alice", target: "root", jail: 1, after: .hours(24 * 90))
    log.act(.session, "root", target: "root", jail: 1)
    #expect(log.kinds.count == 2)
    if restarts { log.restart() }
    log.act(.session, "carol", target: "root", jail: 1)
    log.act(.command, "carol", target: "www-data", jail: 1)
    log.act(.login, "root", from: "192.0.2.7")
    #expect(log.kinds == [.firstPrivilege, .bannedLogin, .firstPrivilege, .firstPrivilege])
  }

  /// Whoever chooses names cannot flood people with alerts; how many were not told is said.
  @Test func soManyOfAKindAnHour() {
    var log = Log()
    for name in 0..<30 { for index in 0..<20 { log.fail("198.51.100.\(index)", "name\(name)") } }
    let flood = log.told.filter { $0.kind == .manyAddresses }
    #expect(flood.count == AlertDetector.hourly)
    #expect(log.told.contains { $0.kind == .manyAccounts }, "another kind is not held back")
    log.now = log.now.adding(.hours(1))
    for index in 0..<20 { log.fail("198.51.100.\(index)", "later") }
    #expect(log.told.last?.user == "later" && log.told.last?.text.contains("10 more of this kind") == true)
  }

  @Test func whatIsOffIsNotLookedFor() {
    var limits = AlertLimits()
    (limits.loginAfterFailures, limits.newNetwork, limits.manyAccounts, limits.manyAddresses) = (nil, nil, nil, nil)
    (limits.bannedLogin, limits.firstPrivilege) = (false, false)
    var log = Log(limits)
    for index in 0..<50 { log.fail("192.0.2.7", "u\(index)") }
    for index in 0..<50 { log.fail("198.51.100.\(index)", "root") }
    log.act(.login, "root", from: "192.0.2.7", ban: "sshd")
    log.act(.login, "root", from: "203.0.113.7")
    #expect(log.kinds == [] && log.sightings.isEmpty)
  }
}
