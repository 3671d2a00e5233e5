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
}
