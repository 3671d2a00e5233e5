import Foundation
import Model
import Settings
import Store
import Testing

@testable import Engine

@Suite struct RetentionTests {
  /// The daemon, idle, removes what the settings no longer keep, and only that.
  @Test func oldFailuresGoWhenThereIsTime() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "bailiff-retention-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var settings = Settings()
    settings.retention = Retention(failures: .hours(24), bans: nil, size: nil)
    let store = try AuditStore(path: directory + "/bailiff.db")
    let now = SystemClock.now()
    let names = Names(
      jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "sshd.yaml")], sources: ["auth.log"])
    for age in [TimeSpan.hours(48), .hours(1)] {
      var batch = FailureBatch()
      batch.append(
        Failure(time: now.subtracting(age), address: Address("192.0.2.7")!, jail: 0, pattern: 0, source: 0))
      try store.commit(batch, names: names)
    }
    let writer = StoreWriter(store, positions: [], settings: settings, log: RunLog(isQuiet: true))
    writer.start()
    var left = 2
    for _ in 0..<300 where left > 1 {
      try await Task.sleep(for: .milliseconds(100))
      left = 0
      try store.recentFailures(jail: "sshd", since: Instant(seconds: 0)) { _ in left += 1 }
    }
    writer.finish()
    #expect(left == 1)
    #expect(try store.newestFailure(jail: "sshd") == now.subtracting(.hours(1)))
    try store.close()
  }

  /// On a busy server the writer never waits a second for the next commit.
  @Test func oldFailuresGoWhileMoreCome() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "bailiff-retention-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var settings = Settings()
    settings.retention = Retention(failures: .hours(24), bans: nil, size: nil)
    let store = try AuditStore(path: directory + "/bailiff.db")
    let now = SystemClock.now()
    let names = Names(
      jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "sshd.yaml")], sources: ["auth.log"])
    func batch(_ age: TimeSpan) -> FailureBatch {
      var batch = FailureBatch()
      batch.append(
        Failure(time: now.subtracting(age), address: Address("192.0.2.7")!, jail: 0, pattern: 0, source: 0))
      return batch
    }
    for _ in 0..<100 { try store.commit(batch(.hours(48)), names: names) }
    let writer = StoreWriter(store, positions: [], settings: settings, log: RunLog(isQuiet: true))
    // Busy from the first moment on.
    for _ in 0..<20 { writer.commit(batch(.hours(1)), names: names, decisions: [], applied: [], at: now) }
    writer.start()
    var old = 100
    for _ in 0..<400 where old > 0 {
      writer.commit(batch(.hours(1)), names: names, decisions: [], applied: [], at: now)
      try await Task.sleep(for: .milliseconds(25))
      old = 0
      try store.recentFailures(jail: "sshd", since: now.subtracting(.hours(50))) {
        if $0.time < now.subtracting(.hours(24)) { old += 1 }
      }
    }
    writer.finish()
    #expect(old == 0)
    try store.close()
  }
}
