import Foundation
import GRDB
import Model
import Testing

@testable import Store

/// A store as the first version wrote it: 226 failures, some of them waiting to be settled, and 18 decisions.
@Suite struct MigrationTests {
  private static let checkpoint = Checkpoint("16:03c49a5cef80ccb30aef340126ae910fbf9f54b8bb603324b3e317fb86dc1c19")!

  private func old() throws -> Scratch {
    let scratch = try Scratch()
    let dump = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "fixtures/store/version1.sql.gz")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "gzip -dc \"$0\" | sqlite3 \"$1\"", dump.path, scratch.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return scratch
  }

  @Test func theFirstVersionIsBroughtForward() throws {
    let scratch = try old()
    #expect { _ = try scratch.reader() } throws: { "\($0)".contains("start the daemon once") }
    let store = try scratch.store()
    #expect(store.migratedCopy == scratch.path + ".version1")
    #expect(store.unsettled == 35)
    var reader = try scratch.reader()
    let waiting = try reader.verify(against: Self.checkpoint)
    #expect(waiting.isWhole, "\(waiting)")
    #expect(waiting.failures == 226)
    #expect(waiting.decisions == 18)
    let rows = try reader.page(AuditFilter(), limit: 1000).rows
    #expect(rows.filter { $0.kind == .failure }.count == 226)

    while try store.settle() {}
    reader = try scratch.reader()
    #expect(try reader.page(AuditFilter(), limit: 1000).rows == rows)
    #expect(try reader.verify(against: Self.checkpoint).isWhole)
    // Old rows and new ones stand in one chain, and retention may take the old.
    try store.commit(FailureBatch([Sample(time: start.adding(.hours(9000)))]), names: names)
    while try store.retain(RetentionPolicy(failures: .hours(1)), now: start.adding(.hours(9000)), limit: 50) {}
    let result = try reader.verify(against: Self.checkpoint)
    #expect(result.isWhole, "\(result)")
    #expect(result.failures == 1)
  }

  @Test(arguments: [
    ("UPDATE failure SET count = 2 WHERE id = 7", "failure 7 was changed"),
    ("DELETE FROM failure WHERE id = 100", "failure 100 was removed"),
    ("UPDATE pending SET heads = x'' WHERE sequence = (SELECT max(sequence) FROM pending)", "was"),
  ])
  func whatWasStoredBeforeIsStillCovered(sql: String, expected: String) throws {
    let scratch = try old()
    try scratch.store().close()
    try scratch.sql(sql)
    let problem = try scratch.reader().verify().problem?.description
    #expect(problem?.contains(expected) == true, "\(problem ?? "nothing found")")
  }
}
