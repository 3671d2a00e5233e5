import Model
import TestSupport
import Testing

@testable import Detection

/// Accounts and applications that are counted by themselves (`per`).
@Suite struct PartTests {
  private static let now = Instant(rfc3339: "2026-11-28T12:00:00Z")!

  /// One failure as the streams below make it.
  private struct Event {
    var second: Int64
    var address: Int
    var user: Int
    var weight: UInt32

    var time: Instant { PartTests.now.adding(.seconds(second)) }
    var client: Address { Address("192.0.2.\(address)")! }
  }

  private static func jail(_ limit: Int, per: Jail.Counting = .user, bantime: TimeSpan? = .seconds(40)) -> Jail {
    var jail = Jail(name: "logins", maxretry: limit, findtime: .seconds(60), bantime: bantime)
    jail.per = per
    return jail
  }

  private static func batch(_ events: [Event], isPast: Bool = false) -> FailureBatch {
    var batch = FailureBatch()
    for event in events {
      var failure = Failure(time: event.time, address: event.client, jail: 0, pattern: 0, source: 0)
      // Nobody, and names of which the first 200 bytes are the same.
      let name = event.user == 0 ? "" : event.user == 1 ? "short" : String(repeating: "n", count: 196) + "\(event.user)"
      failure.user = batch.store(Array(name.utf8).span)
      failure.app = failure.user
      failure.line = batch.store(Array("\(event.second)".utf8).span)
      failure.weight = event.weight
      failure.isPast = isPast
      batch.append(failure)
    }
    return batch
  }

  /// The definition, done slowly: all that was ever counted of a pair, over again for each failure.
  private struct Slow {
    struct Counted {
      var event: Event
      var isVoid = false
    }
    var counted: [Counted] = []
    var banned: [Int: Int64] = [:]
    let limit: Int

    mutating func isBan(_ event: Event) -> Bool {
      if let end = banned[event.address], event.second < end { return false }
      counted.append(Counted(event: event))
      let sum = counted.reduce(0) { sum, other in
        let isSame = other.event.address == event.address && other.event.user == event.user
        let isNear = event.second - other.event.second <= 60
        return sum + (isSame && isNear && !other.isVoid ? Int(other.event.weight) : 0)
      }
      guard sum >= limit else { return false }
      banned[event.address] = event.second + 40
      for index in counted.indices where counted[index].event.address == event.address { counted[index].isVoid = true }
      return true
    }

    mutating func unban(_ address: Int) {
      banned[address] = nil
      for index in counted.indices where counted[index].event.address == address { counted[index].isVoid = true }
    }
  }

  private static func stream(_ count: Int, _ random: inout Numbers) -> [Event] {
    var second: Int64 = 0
    return (0..<count).map { _ in
      second += Int64.random(in: 0...2, using: &random)
      return Event(
        second: second, address: .random(in: 1...3, using: &random), user: .random(in: 0...4, using: &random),
        weight: Int.random(in: 0..<8, using: &random) == 0 ? 2 : 1)
    }
  }

  /// Random streams are judged as the definition judges them, whatever is banned, lifted and forgotten in between. The names of
  /// accounts 2 to 4 differ behind byte 196.
  @Test(arguments: [2, 3, 4, 6]) func equalsTheDefinition(limit: Int) {
    var random = Numbers(state: UInt64(limit))
    var bans = 0
    for round in 0..<20 {
      var detector = Detector([Self.jail(limit)])
      var slow = Slow(limit: limit)
      for (number, event) in Self.stream(400, &random).enumerated() {
        var decisions: [Decision] = []
        detector.decider.expire(at: event.time) { _ in }
        var batch = Self.batch([event])
        detector.detect(in: &batch, now: event.time, into: &decisions)
        let isBan = slow.isBan(event)
        #expect(decisions.isEmpty != isBan, "round \(round), failure \(number) at \(event.second)")
        bans += isBan ? 1 : 0
        if number % 50 == 49 {
          let id = Identity.network(Subnet(event.client))
          _ = detector.decider.unban(id, jail: 0, at: event.time, cause: .operator(uid: 0, command: "unban"))
          slow.unban(event.address)
        }
        if number % 30 == 0 { detector.decider.shrink(at: event.time) }
      }
    }
    #expect(bans > 20)
  }

  /// Windows that come back from what was stored are those that a kill took away: both go on alike.
  @Test(arguments: [3, 5]) func theSameAfterARestart(limit: Int) {
    var random = Numbers(state: 77)
    for _ in 0..<20 {
      let events = Self.stream(300, &random)
      let cut = Int.random(in: 50..<250, using: &random)
      var whole = Detector([Self.jail(limit)])
      var before: [Decision] = []
      for event in events[..<cut] {
        whole.decider.expire(at: event.time) { _ in }
        var batch = Self.batch([event])
        whole.detect(in: &batch, now: event.time, into: &before)
      }
      var again = Detector([Self.jail(limit)])
      for ban in before {
        let end = ban.until ?? ban.time
        again.decider.restoreCutoff(ban.identity, in: 0, until: end)
        if end > events[cut - 1].time, let known = whole.decider.ban(of: ban.identity, in: 0) {
          again.decider.restore(known)
        }
      }
      let stored = Self.batch(Array(events[..<cut]))
      for var failure in stored.failures {
        failure.part = again.part(of: failure, in: stored)
        let id = Identity.network(Subnet(failure.address))
        if let last = before.last(where: { $0.identity == id }), failure.time < last.until! { continue }
        again.decider.restore(failure)
      }
      for event in events[cut...] {
        var (left, right): ([Decision], [Decision]) = ([], [])
        var batch = Self.batch([event])
        whole.decider.expire(at: event.time) { _ in }
        whole.detect(in: &batch, now: event.time, into: &left)
        batch = Self.batch([event])
        again.decider.expire(at: event.time) { _ in }
        again.detect(in: &batch, now: event.time, into: &right)
        #expect(left == right)
      }
    }
  }

  /// One account of many that an address uses is over the limit: the ban is the address's, and says of what.
  @Test func theBanSaysWhatWasCounted() {
    var detector = Detector([Self.jail(3)])
    var decisions: [Decision] = []
    let pair = { Event(second: $0, address: 7, user: $1, weight: 1) }
    var batch = Self.batch([pair(0, 1), pair(1, 2), pair(2, 1), pair(3, 3), pair(4, 0), pair(5, 0), pair(6, 1)])
    detector.detect(in: &batch, now: Self.now.adding(.seconds(10)), into: &decisions)
    #expect(decisions.map(\.part) == ["user short"] && decisions.map(\.count) == [3])
    #expect(decisions.first?.identity == Identity("192.0.2.7") && decisions.first?.time == pair(6, 1).time)
  }

  /// A limit by application, of which the evidence is of that application alone.
  @Test func theEvidenceIsOfThePart() {
    var jail = Self.jail(4, per: .app)
    jail.isRecorded = false
    var detector = Detector([jail])
    var decisions: [Decision] = []
    let events = (0..<7).map { Event(second: $0, address: 7, user: $0 % 2 == 0 ? 1 : 2, weight: 1) }
    var batch = Self.batch(events)
    detector.detect(in: &batch, now: Self.now.adding(.seconds(10)), into: &decisions)
    #expect(decisions.map(\.part) == ["app short"])
    #expect(batch.failures.map { batch.text($0.line) } == ["0", "2", "4", "6"])
  }

  /// What the log is read again for fills windows, and is not stored a second time.
  @Test func whatIsPastOfARecordedJailIsNotStoredAgain() {
    var detector = Detector([Self.jail(3, per: .app)])
    var decisions: [Decision] = []
    let pair = { Event(second: $0, address: 7, user: 1, weight: 1) }
    var past = Self.batch([pair(0), pair(1)], isPast: true)
    detector.detect(in: &past, now: Self.now.adding(.seconds(10)), into: &decisions)
    #expect(past.failures.isEmpty && decisions.isEmpty)
    var live = Self.batch([pair(2)])
    detector.detect(in: &live, now: Self.now.adding(.seconds(10)), into: &decisions)
    #expect(live.failures.count == 1 && decisions.count == 1)
  }
}
