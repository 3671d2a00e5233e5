import Model
import Testing

@testable import Store

/// How close an address is to a ban.
@Suite struct ExplanationTests {
  private func weight(of id: String, since: Instant = start, _ scratch: borrowing Scratch) throws -> Int {
    try scratch.reader().weight(of: Identity(id), jail: "sshd", since: since)
  }

  private func failures(_ address: String, _ seconds: Range<Int64>) -> [Sample] {
    seconds.map { Sample(time: start.adding(.seconds($0 * 10)), address: address) }
  }

  /// A ban empties the window: what led to it, and what came while it was in force, counts no longer.
  @Test(arguments: [true, false]) func whatABanHasAnsweredDoesNotCount(settled: Bool) throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(
      FailureBatch(failures("192.0.2.1", 0..<5) + failures("192.0.2.2", 0..<3)), names: names)
    if settled { while try store.settle() {} }
    #expect(try weight(of: "192.0.2.1", scratch) == 5)
    #expect(try weight(of: "192.0.2.0/24", scratch) == 8)
    #expect(try weight(of: "192.0.2.1", since: start.adding(.seconds(25)), scratch) == 2)

    try store.commit(
      FailureBatch(), names: names, decisions: [ban("192.0.2.1", at: start.adding(.seconds(40)), for: .seconds(60))])
    #expect(try weight(of: "192.0.2.1", scratch) == 0)
    try store.commit(FailureBatch(failures("192.0.2.1", 8..<12)), names: names)
    if settled { while try store.settle() {} }
    // The ban ended at 100 s: the failures at 100 and 110.
    #expect(try weight(of: "192.0.2.1", scratch) == 2)
    #expect(try weight(of: "192.0.2.2", scratch) == 3)
  }

  @Test func liftingABanEndsItForTheWindowToo() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(
      FailureBatch(failures("192.0.2.1", 0..<5)), names: names,
      decisions: [ban("192.0.2.1", at: start.adding(.seconds(40)), for: .hours(1))])
    let cause = Decision.Cause.operator(uid: 0, command: "unban")
    try store.commit(
      FailureBatch(failures("192.0.2.1", 5..<7)), names: names,
      decisions: [ban("192.0.2.1", at: start.adding(.seconds(55)), action: .unban, cause: cause)])
    #expect(try weight(of: "192.0.2.1", scratch) == 1)
  }
}
