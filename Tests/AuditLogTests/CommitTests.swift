import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

@Suite struct CommitTests {
  @Test func everythingOfABatchIsThereAfterReopening() throws {
    let scratch = try Scratch()
    let journal = SourcePosition(source: "journal _COMM=sshd", position: .journal(cursor: "s=ab;i=1"))
    do {
      let store = try scratch.store()
      try store.commit(
        FailureBatch(
          [Sample(offset: 100), Sample(time: start.adding(seconds(5)), offset: 200)],
          positions: [filePosition(300), journal]),
        names: names, decisions: [ban("192.0.2.7")], applied: start)
      store.close()
    }
    let store = try scratch.store()
    #expect(try store.positions() == [filePosition(300), journal])
    let bans = try store.bansInForce(at: start)
    #expect(bans.count == 1)
    #expect(bans.first?.identity == Identity("192.0.2.7"))
    #expect(bans.first?.applied == true)
    #expect(bans.first?.until == start.adding(.hours(1)))
    let rows = try scratch.reader().page(AuditFilter(), limit: 10).rows
    #expect(rows.map(\.kind) == [.failure, .ban, .failure])
    #expect(rows.last?.line == Sample().text)
    #expect(rows.last?.offset == 100)
    #expect(rows.last?.filterFile == "/etc/bailiff/filters/sshd.yaml")
  }

  /// The same questions have the same answers before and after indexing.
  @Test func indexingChangesNoAnswer() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let cursor = "s=0123456789abcdef0123456789abcdef;i=2f;b=x;m=1;t=2;x=3"
    let samples = [
      Sample(), Sample(time: start.adding(seconds(2)), address: "2001:db8::1", user: ""),
      Sample(time: start.adding(seconds(3)), name: "session-4711", user: "o'neill"),
      Sample(time: start.adding(seconds(4)), bytes: [0xFF, 0x00, 0x41, 0xC3]),
      Sample(time: start.adding(seconds(5)), source: 2, cursor: cursor),
      Sample(time: Instant(microseconds: -5), line: ""), Sample(time: start.adding(seconds(6)), count: 5, weight: 0),
    ]
    try store.commit(FailureBatch(samples), names: names)
    let reader = try scratch.reader()
    var sshd = AuditFilter()
    sshd.jail = "sshd"
    var v6 = AuditFilter()
    v6.identity = Identity("2001:db8::/32")
    var named = AuditFilter()
    named.identity = .name("session-4711")
    var user = AuditFilter()
    user.user = "o'neill"
    let filters = [AuditFilter(), sshd, v6, named, user]
    let before = try filters.map { try reader.page($0, limit: 100).rows }
    let top = try TopKey.allCases.map { try reader.top(by: $0, since: Instant(microseconds: .min), limit: 9).entries }
    try store.storeAdded()
    #expect(try store.read { try $0.first("SELECT count(*) FROM segment") } == 1)
    #expect(try filters.map { try reader.page($0, limit: 100).rows } == before)
    for (key, entries) in zip(TopKey.allCases, top) {
      #expect(try reader.top(by: key, since: Instant(microseconds: .min), limit: 9).entries == entries, "\(key)")
    }
    #expect(before.map(\.count) == [7, 7, 1, 1, 1])
    #expect(before[0].first { $0.cursor != nil }?.cursor == "s=0123456789abcdef0123456789abcdef;i=2f")
    #expect(before[0].contains { $0.line == "\u{FFFD}\0A\u{FFFD}" })
    #expect(try reader.verify().isWhole)
  }

  /// Bans are inserted in groups; some of these are in force already, by an earlier transaction or an earlier ban of the same
  /// group, and some are no bans.
  @Test(arguments: [0, 1, 2, 3] as [UInt64]) func manyDecisionsAtOnceAreAsOneByOne(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let decisions = (0..<200).map { number -> Decision in
      let time = start.adding(seconds(Int64(number)))
      let id = ["198.51.100.\(random.next() % 60)", "2001:db8::\(random.next() % 9)", "session-\(random.next() % 3)"][
        [0, 0, 0, 0, 1, 2][Int(random.next() % 6)]]
      // Without others between them most groups are whole; with seed 0 all are.
      let kind = seed == 0 ? 9 : random.next() % 40
      return switch kind {
      case 0: ban(id, at: time, action: .unban, cause: .expired)
      case 1: ban(id, at: time, for: .hours(9), count: 7, action: .extend)
      case 2: ban(id, at: time, jail: "nginx")
      case 3: ban(id, at: time, for: nil)
      default: ban(seed == 0 && number % 50 != 7 ? "203.0.113.\(number)" : id, at: time, number: number)
      }
    }
    let applied = decisions.indices.map { $0 % 3 == 0 ? nil : start.adding(seconds(Int64($0) + 1)) }
    var found: [String] = []
    for size in [1, 7, 8, 100, 200] {
      let scratch = try Scratch()
      let store = try scratch.store()
      for first in stride(from: 0, to: decisions.count, by: size) {
        let range = first..<min(decisions.count, first + size)
        try store.commit(
          FailureBatch(), names: names, decisions: Array(decisions[range]), applied: Array(applied[range]))
      }
      #expect(try scratch.reader().verify().isWhole)
      found.append(try scratch.sqlite3("SELECT * FROM ban ORDER BY id; SELECT * FROM decision ORDER BY id"))
    }
    #expect(found[0].split(separator: "\n").count > 300)
    #expect(Set(found).count == 1)
  }

  /// The first few are rows of their own: the lines of a ban are named, each of them.
  @Test func aFloodBecomesFewRowsWithAnExactCount() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    var samples: [Sample] = []
    for i in 0..<1000 {
      samples.append(
        Sample(time: start.adding(TimeSpan(microseconds: Int64(i) * 500)), line: "line \(i)", offset: UInt64(i) * 10))
    }
    // Another user, another weight, and a second later: rows of their own.
    samples.append(Sample(time: start, user: "admin"))
    samples.append(Sample(time: start, weight: 2))
    samples.append(Sample(time: start.adding(seconds(1)), line: "later"))
    // Before the first: times may run backwards.
    samples.append(Sample(time: start.subtracting(seconds(1)), line: "earlier"))
    try store.commit(FailureBatch(samples), names: names)
    try store.storeAdded()
    let rows = try scratch.reader().page(AuditFilter(), limit: 100).rows
    #expect(rows.count == 4 + FailureFolder.named + 1)
    #expect(Set(rows.map(\.line)).isSuperset(of: (0..<FailureFolder.named).map { "line \($0)" }))
    let flood = try #require(rows.first { $0.count == 1000 - FailureFolder.named })
    #expect(flood.line == "line 16")
    #expect(flood.lastLine == "line 999")
    #expect(flood.lastOffset == 9990)
    #expect(flood.lastTime == start.adding(TimeSpan(microseconds: 499_500)))
    #expect(try scratch.reader().verify().isWhole)
    var counted = 0
    try store.recentFailures(jail: "sshd", since: Instant(microseconds: .min)) { counted += Int($0.count) }
    #expect(counted == 1004)
  }

  /// A text is looked for in so many rows only; the next page goes on behind them, and nothing is left out.
  @Test func aTextIsLookedForInParts() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for batch in 0..<20 {
      let numbers = batch * 5..<batch * 5 + 5
      try store.commit(
        FailureBatch(numbers.map { Sample(time: start.adding(seconds(Int64($0) * 2)), line: "needle \($0 % 25)") }),
        names: names)
    }
    var filter = AuditFilter()
    filter.text = "NEEDLE 24"
    let reader = try scratch.reader()
    var pages: [AuditPage] = [try reader.page(filter, limit: 10, mostRead: 10)]
    while let next = pages.last?.next, pages.count < 50 {
      pages.append(try reader.page(filter, limit: 10, before: next, mostRead: 10))
    }
    #expect(pages.flatMap(\.rows).map(\.number) == [100, 75, 50, 25])
    // Whole transactions of five rows are read, until ten rows without the text were: two, or three where one of them had it.
    let readThrough = pages.compactMap { $0.readThrough?.since(start) }
    #expect(readThrough == [84, 74, 59, 49, 34, 24, 9].map { TimeSpan(microseconds: $0 * 2_000_000) })
    #expect(pages.count == 8)
    #expect(pages.last?.next == nil)
  }

  /// A batch that spans a rotation has a source twice: the later place is where reading goes on.
  @Test func ofTwoPlacesOfASourceTheLaterCounts() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    var batch = FailureBatch([Sample(time: start)])
    batch.positions = [filePosition(300), filePosition(700)]
    try store.commit(batch, names: names)
    #expect(try store.positions() == [filePosition(700)])
  }

  @Test func windowsAreRebuiltInTheOrderOfTheirCommit() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    for i in 0..<10 {
      try store.commit(
        FailureBatch([
          Sample(time: start.adding(seconds(Int64(10 - i))), address: "192.0.2.\(i)"),
          Sample(time: start.adding(seconds(60)), address: "198.51.100.1", jail: 1),
        ]), names: names)
    }
    // While none of them is in a segment, and all of them are.
    for isIndexed in [false, true] {
      if isIndexed { try store.storeAdded() }
      var seen: [String] = []
      try store.recentFailures(jail: "sshd", since: start.adding(seconds(5))) { seen.append($0.address!.description) }
      #expect(seen == (0...5).map { "192.0.2.\($0)" })
      #expect(try store.newestFailure(jail: "sshd") == start.adding(seconds(10)))
      #expect(try store.newestFailure(jail: "nginx") == start.adding(seconds(60)))
      #expect(try store.newestFailure(jail: "other") == nil)
    }
  }

  @Test func reloadedNamesMeanWhatTheyMeanNow() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try store.commit(FailureBatch([Sample()]), names: names)
    let renamed = Names(jails: ["web", "sshd"], patterns: names.patterns, sources: names.sources)
    try store.commit(FailureBatch([Sample(time: start.adding(seconds(9)))]), names: renamed)
    #expect(try scratch.reader().page(AuditFilter(), limit: 9).rows.map(\.jail) == ["web", "sshd"])
  }

  @Test func longTextIsCutAndSaysSo() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let long = String(repeating: "x", count: 70_000)
    try store.commit(FailureBatch([Sample(user: long, line: long)]), names: names)
    try store.storeAdded()
    let row = try #require(try scratch.reader().page(AuditFilter()).rows.first)
    #expect(row.line == String(repeating: "x", count: 2048) + "[…]")
    #expect(row.user == String(repeating: "x", count: 256) + "[…]")
  }

  @Test func bansEndAndCount() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    let id = Identity("2001:db8::/64")
    // The firewall took only one of them.
    try store.commit(
      FailureBatch(), names: names, decisions: [ban("2001:db8::/64"), ban("192.0.2.7", for: nil)],
      applied: [start, nil])
    #expect(try store.bansInForce(at: start).count == 2)
    #expect(try store.bansInForce(at: start).filter(\.applied).map(\.identity) == [id])
    let later = start.adding(.hours(2))
    #expect(try store.bansInForce(at: later).map(\.identity) == [Identity("192.0.2.7")])
    #expect(try store.expiredBans(at: later).map(\.identity) == [id])
    try store.commit(
      FailureBatch(), names: names,
      decisions: [
        ban("2001:db8::/64", at: later, action: .unban, cause: .expired), ban("2001:db8::/64", at: later, number: 2),
        ban("2001:db8::/64", at: later, jail: "nginx"),
        ban("2001:db8::/64", at: later, for: .hours(9), action: .extend),
      ])
    #expect(try store.expiredBans(at: later).isEmpty)
    #expect(try store.bansInForce(at: later.adding(.hours(8))).map(\.jail) == ["sshd", "sshd"])
    var counts: [String: Int] = [:]
    var ends: [String: Instant?] = [:]
    try store.banCounts { (counts["\($0) \($1)"], ends["\($0) \($1)"]) = ($2, .some($3)) }
    try store.banCounts(since: start.adding(.hours(100_000))) { _, _, _, end in #expect(end == nil) }
    #expect(ends["sshd 192.0.2.7"] != nil)
    #expect(counts == ["sshd 2001:db8::/64": 2, "nginx 2001:db8::/64": 1, "sshd 192.0.2.7": 1])
  }

  /// Lines name people. A mode that an administrator gave it stays.
  @Test func nobodyElseMayReadIt() throws {
    let scratch = try Scratch()
    func modes() throws -> [Int?] {
      try ["", "-wal", "-shm"].map {
        try FileManager.default.attributesOfItem(atPath: scratch.path + $0)[.posixPermissions] as? Int
      }
    }
    let store = try scratch.store()
    try store.commit(FailureBatch([Sample()]), names: names)
    #expect(try modes() == [0o600, 0o600, 0o600])
    store.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: scratch.path)
    let again = try scratch.store()
    try again.commit(FailureBatch([Sample()]), names: names)
    #expect(try modes() == [0o640, 0o640, 0o640])
    again.close()
  }
}
