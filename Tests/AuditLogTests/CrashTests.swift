import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

@Suite struct CrashTests {
  /// SIGKILL at any instant, again and again: what is stored is a whole number of commits, each exactly once, and the
  /// position is the one behind the last of them.
  @Test func killedWhileCommitting() throws {
    let scratch = try Scratch()
    var stored = 0
    for round in 0..<12 {
      let process = try StoreWriter.start(scratch.path)
      // Wait until it has stored something more, then a little longer, another time each round.
      let deadline = Date().addingTimeInterval(60)
      while Date() < deadline {
        if let reader = try? scratch.reader(), let end = try? reader.end(), end.failure > Int64(stored) { break }
        usleep(2000)
      }
      usleep(UInt32(round * 1700 % 9000))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(process.terminationReason == .uncaughtSignal, "the writer failed by itself")

      let store = try scratch.store()
      let positions = try store.positions()
      guard case .file(_, let offset) = positions.first?.position else {
        Issue.record("no position after round \(round)")
        return
      }
      #expect(offset % 7 == 0)
      #expect(Int(offset) > stored)
      stored = Int(offset)
      if round % 3 == 2 { try store.storeAdded() }
      store.close()
      let result = try scratch.reader().verify()
      #expect(result.problem == nil)
      #expect(result.failures == stored)
      #expect(result.decisions == stored / 7)
    }
    let store = try scratch.store()
    var next: UInt32 = 0
    try store.recentFailures(jail: "sshd", since: Instant(microseconds: .min)) { failure in
      #expect(failure.address?.ipv4 == next)
      next += 1
    }
    #expect(Int(next) == stored)
    #expect(try store.bansInForce(at: start).count == stored / 7)
    print("12 kills, \(stored) failures, none lost, none doubled")
  }

  /// The disk is full: nothing is half done, the error says so, and the same batch goes in when there is room.
  @Test func aFullDiskCanBeTriedAgain() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(FailureBatch([Sample()], positions: [filePosition(1)]), names: names)
    let pages: Int = try store.read { try $0.first("PRAGMA page_count") ?? 0 }
    try store.read { try $0.execute("PRAGMA max_page_count = \(pages + 2)") }
    var samples: [Sample] = []
    for i in 0..<4000 {
      samples.append(Sample(time: start.adding(seconds(Int64(i * 2))), line: "line \(i) of the full disk"))
    }
    let batch = FailureBatch(samples, positions: [filePosition(2)])
    for _ in 0..<3 {
      do {
        try store.commit(batch, names: names, decisions: [ban("192.0.2.7")])
        Issue.record("the disk was not full")
      } catch let error as StoreError {
        #expect(error.kind == .full)
        #expect(error.code == 13)
        #expect(!error.message.contains("line 1"))
      }
      #expect(try store.positions() == [filePosition(1)])
      #expect(try store.bansInForce(at: start).isEmpty)
    }
    try store.read { try $0.execute("PRAGMA max_page_count = 1000000") }
    try store.commit(batch, names: names, decisions: [ban("192.0.2.7")])
    try store.storeAdded()
    #expect(try store.positions() == [filePosition(2)])
    let result = try scratch.reader().verify()
    #expect(result.isWhole)
    #expect(result.failures == 4001)
    #expect(result.decisions == 1)
  }

  @Test func aDamagedStoreIsSetAside() throws {
    let scratch = try Scratch()
    try Data(String(repeating: "this is no database ", count: 500).utf8).write(to: URL(fileURLWithPath: scratch.path))
    #expect { try scratch.store() } throws: { ($0 as? StoreError)?.kind == .corrupt }
    let place = try AuditStore.setAside(path: scratch.path, at: start)
    #expect(FileManager.default.fileExists(atPath: place))
    let store = try scratch.store()
    try store.commit(FailureBatch([Sample()]), names: names)
    #expect(try scratch.reader().page(AuditFilter()).rows.count == 1)
  }

  /// Damage in the middle of the file shows when it is met, as an error of the same kind.
  @Test func damageInTheMiddleIsAnError() throws {
    let scratch = try Scratch()
    do {
      let store = try scratch.store()
      for i in 0..<200 {
        try store.commit(FailureBatch([Sample(time: start.adding(seconds(Int64(i * 2))))]), names: names)
      }
      try store.storeAdded()
      store.close()
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.path))
    let size = try file.seekToEnd()
    for page in 1..<size / 4096 {
      try file.seek(toOffset: page * 4096)
      try file.write(contentsOf: Data(repeating: 0xA5, count: 4096))
    }
    try file.close()
    #expect { try scratch.reader().verify() } throws: { ($0 as? StoreError)?.kind == .corrupt }
    #expect { _ = try scratch.store().positions() } throws: { ($0 as? StoreError)?.kind == .corrupt }
  }

  @Test func aNewerStoreIsRefusedWithItsVersion() throws {
    let scratch = try Scratch()
    try scratch.store().close()
    try scratch.sql("PRAGMA user_version = 7")
    for open in [{ _ = try scratch.store() }, { _ = try scratch.reader() }] {
      #expect { try open() } throws: { error in
        (error as? StoreError)?.kind == .newer && "\(error)".contains("version 7")
          && "\(error)".contains("up to \(Migrations.current)")
      }
    }
  }

  @Test func anotherProgramsDatabaseIsLeftAlone() throws {
    let scratch = try Scratch()
    try scratch.sql("CREATE TABLE mine (x)")
    #expect { try scratch.store() } throws: { "\($0)".contains("another program's database") }
    #expect(try scratch.sqlite3("SELECT name FROM sqlite_schema") == "mine")
  }

  @Test func aMissingStoreSaysWhatToDo() throws {
    let scratch = try Scratch()
    #expect { _ = try scratch.reader() } throws: { ($0 as? StoreError)?.kind == .missing }
  }
}
