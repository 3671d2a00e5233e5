import AuditLog
import Foundation
import Model
import Settings
import System
import TestSupport
import Testing

@testable import Pipeline

/// Old rows go by the store's writer, when there is time and when there is none.
@Suite struct RetentionTests {
  /// A store with `old` failures of the day before yesterday and its writer, which keeps a day.
  private struct Kept {
    let directory: TestDirectory
    let store: AuditStore
    let writer: StoreWriter
    let now = SystemClock.now()
    let names = Names(
      jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "sshd.yaml")], sources: ["auth.log"])

    init(old: Int) throws {
      directory = try TestDirectory("retention")
      store = try AuditStore(path: directory("bailiff.db"))
      var settings = Settings()
      settings.retention = Retention(failures: .hours(24), bans: nil, size: nil)
      writer = StoreWriter(store, positions: [], settings: settings, log: RunLog(isQuiet: true))
      for _ in 0..<old { try store.commit(batch(.hours(48)), names: names) }
    }

    func batch(_ age: TimeSpan) -> FailureBatch {
      var batch = FailureBatch()
      batch.append(
        Failure(time: now.subtracting(age), address: Address("192.0.2.7")!, jail: 0, pattern: 0, source: 0))
      return batch
    }

    func post() { writer.commit(batch(.hours(1)), names: names, decisions: [], applied: [], at: now) }

    /// How many of the old ones are left.
    func old() throws -> Int {
      var count = 0
      try store.recentFailures(jail: "sshd", since: now.subtracting(.hours(50))) {
        if $0.time < now.subtracting(.hours(24)) { count += 1 }
      }
      return count
    }

    func close() throws {
      writer.finish()
      store.close()
    }
  }

  /// Bans in force stay, however small the store should be; that it is too large is said.
  @Test func aSizeThatCannotBeHeldIsSaid() async throws {
    let bench = try Bench()
    try bench.configure(general: "retention: {size: 1MiB}")
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    let now = SystemClock.now()
    let bans = (0..<15_000).map { number in
      Decision(
        action: .ban, jail: "sshd", identity: Identity("10.0.\(number / 250).\(number % 250)"), time: now, until: nil,
        count: 3)
    }
    let names = Names(jails: ["sshd"], patterns: [], sources: [])
    for part in 0..<4 {
      daemon.writer.commit(
        FailureBatch(), names: names, decisions: part == 0 ? bans : Array(bans.prefix(4000)), applied: [], at: now)
    }
    try await poll("the warning") { daemon.activeWarnings.contains { $0.code == .storeOverSize } }
    let warning = try #require(daemon.activeWarnings.first { $0.code == .storeOverSize })
    #expect(warning.text.contains("more than `retention.size` (1.0 MiB)"), "\(warning)")
    await stop(daemon)
  }

  @Test func oldFailuresGoWhenThereIsTime() async throws {
    let kept = try Kept(old: 1)
    try kept.store.commit(kept.batch(.hours(1)), names: kept.names)
    kept.writer.start()
    for _ in 0..<300 where try kept.old() > 0 { try await Task.sleep(for: .milliseconds(100)) }
    #expect(try kept.old() == 0)
    #expect(try kept.store.newestFailure(jail: "sshd") == kept.now.subtracting(.hours(1)))
    try kept.close()
  }

  /// On a busy server the writer never waits a second for the next commit.
  @Test func oldFailuresGoWhileMoreCome() async throws {
    let kept = try Kept(old: 100)
    // Busy from the first moment on.
    for _ in 0..<20 { kept.post() }
    kept.writer.start()
    for _ in 0..<400 where try kept.old() > 0 {
      kept.post()
      try await Task.sleep(for: .milliseconds(25))
    }
    #expect(try kept.old() == 0)
    try kept.close()
  }
}
