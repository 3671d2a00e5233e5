import Foundation
import Model
import TestSupport
import Testing

@testable import AuditLog
@testable import Pipeline

/// What is recorded is the same whether a thread of its own does it or not.
@Suite struct ReplayRecorderTests {
  private let directory: TestDirectory
  private var path: String { directory("bailiff.db") }

  init() throws { directory = try TestDirectory("recorder") }

  private let names = Names(
    jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "sshd.yaml")], sources: ["auth.log"])

  private func batch(_ number: Int) -> (FailureBatch, [Decision]) {
    var batch = FailureBatch()
    for i in 0..<700 {
      var failure = Failure(
        time: Instant(seconds: 1_795_000_000 + Int64(number * 700 + i)),
        address: Address(ipv4: 0xCB00_7100 + UInt32(i % 200)), jail: 0, pattern: 0, source: 0)
      failure.line = batch.store(Array("line \(number) \(i)".utf8).span)
      batch.append(failure)
    }
    let ban = Decision(
      action: .ban, jail: "sshd", identity: Identity("203.0.113.\(number)"), time: batch.failures[699].time,
      until: nil, count: 3, number: 1)
    return (batch, [ban])
  }

  @Test(arguments: [1, 2]) func everythingIsStoredInOrder(cores: Int) throws {
    let store = try AuditStore(path: path)
    let recorder = ReplayRecorder(store, names: names, cores: cores)
    for number in 0..<40 {
      var (batch, decisions) = batch(number)
      try recorder.record(&batch, decisions)
    }
    try recorder.finish()
    let reader = try AuditStore.readOnly(path: path)
    #expect(try reader.verify().isWhole)
    let rows = try reader.page(AuditFilter(), limit: 100_000).rows
    #expect(rows.filter { $0.kind == .ban }.map(\.id) == (0..<40).reversed().map { "203.0.113.\($0)" })
    let expected = (0..<40 * 700).reversed().map { "line \($0 / 700) \($0 % 700)" }
    #expect(rows.filter { $0.kind == .failure }.map(\.line) == expected)
  }

  /// A store that takes nothing is told to whoever records, at the latest at the end.
  @Test(arguments: [1, 2]) func whatCannotBeStoredIsTold(cores: Int) throws {
    let store = try AuditStore(path: path)
    store.close()
    let recorder = ReplayRecorder(store, names: names, cores: cores)
    #expect(throws: StoreError.self) {
      var (batch, decisions) = batch(0)
      try recorder.record(&batch, decisions)
      try recorder.finish()
    }
  }
}
