import AuditLog
import Foundation
import Model
import Settings
import System
import TestSupport
import Testing

@testable import Pipeline

@Suite struct StoreWriterTests {
  /// Fifty commits wait when the writer comes: they are one transaction, and nothing of them is lost or changed by that.
  @Test func whatWaitsGoesAsOne() throws {
    let directory = try TestDirectory("store-writer")
    let store = try AuditStore(path: directory("bailiff.db"))
    let writer = StoreWriter(store, positions: [], settings: Settings(), log: RunLog(isQuiet: true))
    let names = Names(
      jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "sshd.yaml")], sources: ["auth.log"])
    let start = SystemClock.now()
    func moment(_ number: Int) -> Instant { start.adding(TimeSpan(microseconds: Int64(number))) }
    func address(_ number: Int) -> Address { Address("192.0.2.\(number)")! }
    for number in 0..<50 {
      var batch = FailureBatch()
      var failure = Failure(time: moment(number), address: address(number), jail: 0, pattern: 0, source: 0)
      failure.line = batch.store(Array("line \(number)".utf8).span)
      batch.append(failure)
      batch.positions = [SourcePosition(source: "auth.log", position: .journal(cursor: "\(number)"))]
      let ban = Decision(
        action: .ban, jail: "sshd", identity: .network(Subnet(address(number))), time: moment(number), until: nil,
        count: 1,
        number: 1)
      // Every other ban was taken by the firewall, each at a time of its own.
      writer.commit(
        batch, names: names, decisions: [ban], applied: number.isMultiple(of: 2) ? [0] : [], at: moment(1000 + number))
      if number == 24 { writer.event(.note, detail: "between them") }
    }
    writer.start()
    writer.finish()
    #expect(writer.health.committed == 50)
    #expect(writer.positions["auth.log"]?.position == .journal(cursor: "49"))
    #expect(try store.positions().map(\.position) == [.journal(cursor: "49")])
    let reader = try AuditStore.readOnly(path: directory("bailiff.db"))
    let result = try reader.verify()
    #expect(result.isWhole && result.failures == 50 && result.decisions == 50 && result.events == 1)
    // Two of twenty-five with the event between them.
    #expect(result.transactions == 3)
    for number in 0..<50 {
      let story = try #require(try reader.explain(.network(Subnet(address(number)))).bans.first)
      #expect(story.applied == (number.isMultiple(of: 2) ? moment(1000 + number) : nil))
      #expect(story.failures.map(\.line) == ["line \(number)"])
    }
    store.close()
  }
}
