import Model
import Testing

@testable import Detection

/// Jails that only count: what stays of their failures.
@Suite struct DetectorTests {
  private static let now = Instant(rfc3339: "2026-11-28T12:00:00Z")!

  private static func jail(_ limit: Int, _ name: String = "requests") -> Jail {
    var jail = Jail(name: name, maxretry: limit, findtime: .minutes(1))
    jail.isRecorded = false
    return jail
  }

  private static func batch(_ lines: [(address: String, text: String)], isPast: Bool = false) -> FailureBatch {
    var batch = FailureBatch()
    for line in lines {
      var failure = Failure(time: now, address: Address(line.address)!, jail: 0, pattern: 0, source: 0)
      failure.line = batch.store(Array(line.text.utf8).span)
      failure.user = ByteRange(start: failure.line.start + 1, count: UInt32(line.text.utf8.count) - 1)
      failure.isPast = isPast
      batch.append(failure)
    }
    return batch
  }

  private static func texts(_ batch: FailureBatch) -> [String] { batch.failures.map { batch.text($0.line) } }

  /// Nothing is left of them but the last twenty before a ban, of whoever is banned.
  @Test(arguments: [25, 400]) func theLastLinesAreTheEvidence(limit: Int) {
    var detector = Detector([Self.jail(limit), Jail(name: "other")])
    var decisions: [Decision] = []
    var batch = Self.batch((1..<limit).map { ("2001:db8::1", "a\($0)") } + [("192.0.2.7", "b1")])
    detector.detect(in: &batch, now: Self.now, into: &decisions)
    #expect(batch.failures.isEmpty && decisions.isEmpty)
    var last = Self.batch([("192.0.2.7", "b2"), ("2001:db8::2", "a\(limit)"), ("2001:db8::2", "late")])
    detector.detect(in: &last, now: Self.now, into: &decisions)
    #expect(decisions.map(\.count) == [limit])
    #expect(Self.texts(last) == (limit - 19...limit).map { "a\($0)" })
    #expect(last.failures.map { last.text($0.user) } == (limit - 19...limit).map { "\($0)" })
  }

  /// What was counted before a restart fills the window and decides nothing; lines that were shown are not shown again.
  @Test func whatIsPastDecidesNothing() {
    var detector = Detector([Self.jail(3)])
    var decisions: [Decision] = []
    var past = Self.batch([("192.0.2.7", "a1"), ("192.0.2.7", "a2")], isPast: true)
    detector.detect(in: &past, now: Self.now, into: &decisions)
    #expect(past.failures.isEmpty && decisions.isEmpty)
    var more = Self.batch([("192.0.2.7", "a3")])
    detector.detect(in: &more, now: Self.now, into: &decisions)
    #expect(decisions.count == 1 && Self.texts(more) == ["a1", "a2", "a3"])
    _ = detector.decider.unban(decisions[0].identity, jail: 0, at: Self.now, cause: .expired)
    var again = Self.batch((4...6).map { ("192.0.2.7", "a\($0)") })
    detector.detect(in: &again, now: Self.now, into: &decisions)
    #expect(decisions.count == 2 && Self.texts(again) == ["a4", "a5", "a6"])
  }

  /// Lines are kept in one piece of memory, whoever writes how many.
  @Test func theMemoryIsBounded() {
    var lines = EvidenceLines()
    let id = Identity.network(Subnet(Address("192.0.2.7")!))
    let other = Identity.network(Subnet(Address("192.0.2.8")!))
    let text = [UInt8](repeating: 97, count: 5000)
    let failure = Failure(time: Self.now, address: Address("192.0.2.7")!, jail: 0, pattern: 0, source: 0)
    for number in 0..<3000 { lines.add(failure, of: number % 1000 == 0 ? id : other, text.span) }
    let found = lines.take(0, id)
    #expect(found.count == 1, "what came last is there, what came long before is not")
    #expect(found.allSatisfy { $0.text.count == 4096 })
    #expect(lines.take(0, id).isEmpty && lines.take(1, other).isEmpty && lines.take(0, other).count == 20)
  }
}
