import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

/// How records, lines and the index are written: what is read is what was written.
@Suite struct FormatTests {
  private static let origin = Origin(jail: "sshd", filter: "sshd", pattern: "p", file: "f", source: "s", journal: "")

  /// Words, signs, lines that share nothing, empty ones, other alphabets, bytes that are no text; the texts of the templates that are
  /// made of them are used for those that follow.
  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func whatIsReadIsWhatWasWritten(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    let words = [
      "sshd[812]:", "Failed", "4711", "007", "ü\"\\", "\u{1}\u{10}", "192.0.2.7", "2001:db8::1", "root", "12:34:56.",
      "x9",
      "a=\"b\"", "123456789012345678901", "\t", "-5", "…",
    ]
    var origins = OriginTable()
    origins.use(names)
    var table = TemplateTable()
    var text = BatchText()
    var written: [(head: RecordHead, name: [UInt8], user: [UInt8], line: [UInt8], last: [UInt8])] = []
    while written.count < 400 {
      var head = RecordHead(
        time: start.microseconds + Int64(random.next() % 5) * pick([1_000_000, 1000, 1]),
        place: pick([0, 500, -70]) + Int64(random.next() % 100))
      let address = pick(["192.0.2.7", "255.255.255.255", "2001:db8::1", "::", ""])
      head.address = Address(address)
      head.count = pick([1, 1, 1, 7])
      let name: [UInt8] = address.isEmpty ? pick([Array("=x".utf8), Array("session-1".utf8), [], [0xFF]]) : []
      let user: [UInt8] = pick([
        [], Array("root".utf8), Array("o'neill \"x\"".utf8), [0, 65], Array("u\(written.count)".utf8),
      ])
      var line = Array((0..<random.next() % 12).map { _ in pick(words) }.joined(separator: " ").utf8)
      if random.next() % 9 == 0 { line.append(0xC3) }
      if random.next() % 3 == 0 {
        line = Array(
          "sshd[\(random.next() % 999)]: Failed password for \(String(decoding: user, as: UTF8.self)) from \(address)"
            .utf8)
      }
      let stamp = random.next() % 3 == 0 ? Array("Nov 20 10:40:0\(random.next() % 10) ".utf8) : []
      line = stamp + line
      var last: [UInt8] = []
      if random.next() % 7 == 0 {
        head.last = (head.time + 1_000_000, head.place + 9)
        last = pick([line, Array("the last one".utf8), []])
      }
      let index = table.find(
        origin: 1, Self.origin, weight: 1, rule: Span(), time: head.time,
        address: Array((head.address?.description ?? "").utf8).span, user: user.span, line: line.span)
      let isIn = text.append(
        head, table.templates[index], table.values, name: name.span, user: user.span, line: line.span,
        lastLine: last.span)
      if isIn { written.append((head, name, user, line, last)) }
      if !isIn || written.count == 400 {
        text.close()
        try check(text, written, table)
        text.removeAll()
        written.removeAll()
        if isIn { break }
      }
    }
    #expect(table.templates.contains { $0.key.text != nil })
  }

  private func check(
    _ text: BatchText, _ written: [(head: RecordHead, name: [UInt8], user: [UInt8], line: [UInt8], last: [UInt8])],
    _ table: TemplateTable
  ) throws {
    let database = try Database(path: ":memory:", .readWrite)
    // Plain SQL takes it apart.
    #expect(
      try database.first("SELECT json_array_length(?)", String(decoding: text.rows, as: UTF8.self)) == written.count)
    var reader = BatchReader(base: text.base, unit: text.unit)
    for (i, one) in written.enumerated() {
      let next = reader.next(text.rows.span)
      let row = try #require(next, "row \(i)")
      #expect(row.time == one.head.time)
      #expect(row.place == one.head.place)
      #expect(row.address == one.head.address)
      #expect(row.count == one.head.count)
      #expect(row.last?.time == one.head.last?.time)
      #expect(row.last?.place == one.head.last?.place)
      #expect(
        text.sums[4 * i..<4 * i + 4]
          == {
            var sum: [UInt8] = []
            sum.append(sum: RecordSum.of(text.rows.span.extracting(row.text)))
            return sum[...]
          }())
      if let raw = text.raw.first(where: { $0.index == i }) {
        #expect(row.isRaw)
        #expect(raw.name == one.name && raw.user == one.user && raw.line == one.line && raw.last == one.last)
        continue
      }
      #expect(!row.isRaw)
      var user: [UInt8] = []
      if row.userNumber > 0 {
        user = Array(
          (try database.first(
            "SELECT json_extract(?, ?)", String(decoding: text.users, as: UTF8.self), "$[\(row.userNumber - 1)]")
            as String?
            ?? "").utf8)
      } else {
        let isText = JSONText.unescape(text.rows.span.extracting(row.user), to: &user)
        #expect(isText)
      }
      #expect(user == one.user, "row \(i)")
      var name: [UInt8] = []
      let isText = JSONText.unescape(text.rows.span.extracting(row.name), to: &name)
      #expect(isText)
      #expect(name == one.name)
      let template = try #require(table[row.template])
      var line: [UInt8] = []
      var values = ValueReader(row.values)
      if template.key.text == nil {
        _ = values.next(text.rows.span, to: &line)
      } else {
        var stamp: [UInt8] = []
        template.stampForm?.write(row.time, zone: template.key.zone, to: &stamp)
        let address = Array((row.address?.description ?? "").utf8)
        template.join(address: address.span, user: user.span, stamp: stamp.span, to: &line) {
          _ = values.next(text.rows.span, to: &$0)
        }
      }
      #expect(line == one.line, "row \(i)")
    }
    let isAtEnd = reader.isAtEnd(text.rows.span)
    #expect(isAtEnd)
    let row = reader.next(text.rows.span)
    #expect(row == nil)
  }

  /// The chain of every store is hashed over these very bytes.
  @Test func theFormNeverChanges() throws {
    let scratch = try Scratch()
    let store = try scratch.store()
    try scratch.sql("UPDATE store SET identity = 1")
    var samples = [
      Sample(offset: 17), Sample(time: start.adding(seconds(2)), address: "2001:db8::1", user: ""),
      Sample(time: start.adding(seconds(3)), name: "session-4711", user: "o'neill", count: 7, weight: 0),
      Sample(time: start.adding(seconds(4)), bytes: [0xFF, 0x00, 0x41, 0xC3]),
    ]
    samples += (0..<40).map {
      Sample(time: start.subtracting(seconds(Int64($0))), user: "u\($0)", line: $0 % 9 == 0 ? "" : nil)
    }
    samples += (0..<30).map { Sample(time: start, address: "203.0.113.1", line: "again \($0)") }
    try store.commit(FailureBatch(samples), names: names, decisions: [ban("192.0.2.7")], applied: start)
    let checkpoint = try #require(try scratch.reader().checkpoint())
    #expect(checkpoint.description == "1:3656d976dd1fd5eca76b30280dfe2ab3b532f642f6446199175f7610c7e2d0f1")
  }

  /// In every form, in zones and at times of all kinds, as SQLite writes them.
  @Test func stampsAreThoseOfSQLite() throws {
    let database = try Database(path: ":memory:", .readWrite)
    // Before SQLite 3.41 its own JSON functions were not taken for harmless.
    try database.execute("PRAGMA trusted_schema = ON")
    try database.execute(Schema.tables + Views.all)
    let times: [Int64] = [
      0, start.microseconds, start.microseconds + 1_234, 951_782_400_000_000, 4_102_444_799_999_999, 1_000_000,
    ]
    for form in StampForm.all {
      for time in times {
        for zone: Int64 in [0, 3600, -18_000, 20_700] {
          var stamp: [UInt8] = []
          form.write(time, zone: zone, to: &stamp)
          let line = Array("x ".utf8) + stamp + Array("+00:00 rest of the line".utf8)
          let found = form.zone(of: time, in: line.span, at: 2)
          // Around New Year a stamp without a year may be of another one.
          if let found { #expect(found == zone, "\(form.text)") }
          try database.execute("DELETE FROM batch; DELETE FROM template; DELETE FROM origin")
          try database.execute("INSERT INTO origin VALUES (1, 'j', 'f', 'p', '', '', '')")
          try database.run("INSERT INTO template VALUES (1, 1, 1, NULL, ?, ?, ?, 1)", "\u{3} words", form.text, zone)
          try database.run(
            """
            INSERT INTO batch (id, time, failure, decision, event, first, base_time, base_place, unit, first_time, last_time, rows)
            VALUES (1, 0, 1, 0, 0, 1, ?, 0, 1, 0, 0, '[[0,0,1,0,1]]')
            """, time)
          #expect(
            try database.first("SELECT line FROM failures") == String(decoding: stamp, as: UTF8.self) + " words",
            "\(form.text) \(time) \(zone)")
        }
      }
    }
  }

  /// Bytes that anybody may have put there end nothing but the reading.
  @Test(arguments: [5, 6, 7] as [UInt64]) func anyBytesAreRead(seed: UInt64) {
    var random = SplitMix(state: seed)
    let good = Array(
      #"[[0,100,3221225985,1,2,812,"x"],[5,-3,"2001:db8::1","u\"",7,{"n":3,"t":1,"p":2,"l":"a"}],[1,1,"=n",0,1]]"#.utf8)
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0...random.next() % 3 {
        let at = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 3 {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: at)
        default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
        }
      }
      var reader = BatchReader(base: (.max, .min), unit: .max)
      while let row = reader.next(bytes.span) {
        var values = ValueReader(row.values)
        var text: [UInt8] = []
        while values.next(bytes.span, to: &text) {}
      }
      let block = (0..<Int(random.next() % 60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      var postings = PostingReader()
      while postings.next(block.span) { _ = (postings.groups(block.span), postings.address) }
    }
  }

  /// The index of a segment against its rows, one by one.
  @Test(arguments: [8, 9] as [UInt64]) func theIndexHasEveryRow(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    var builder = SegmentBuilder()
    let origins = [1, 2, 7] as [UInt32]
    let templates = origins.map { Template(Template.Key(origin: $0), number: Int64($0), origin: Self.origin) }
    struct Key: Hashable {
      var key: [UInt8]
      var origin: UInt32
    }
    var rows: [Key: [UInt32]] = [:]
    var failures: [Key: UInt64] = [:]
    var users: [[UInt8]: UInt64] = [:]
    for row in 0..<9000 {
      let id = random.next() % 10
      let address: Address? =
        id < 7
        ? Address(ipv4: UInt32(truncatingIfNeeded: random.next() % (id < 2 ? 5 : 1 << 32)))
        : id < 9 ? Address(bits: UInt128(random.next() % 9)) : nil
      let name = Array((address == nil ? "name \(random.next() % 9)" : "").utf8)
      let user = Array((random.next() % 4 == 0 ? "" : "user \(random.next() % 500)").utf8)
      let template = templates[Int(random.next() % 30) < 27 ? 0 : Int(random.next() % 3)]
      let count = random.next() % 20 == 0 ? UInt32(3) : 1
      builder.add(
        row: 100 + Int64(row), batch: Int64(row / 50), time: start.microseconds - Int64(row), address: address,
        name: name.span, user: user.span, template: template, count: count)
      let key = Key(key: address.map(PostingKey.of) ?? PostingKey.of(name: name), origin: template.key.origin)
      rows[key, default: []].append(UInt32(row))
      failures[key, default: 0] += UInt64(count)
      if !user.isEmpty { users[PostingKey.of(user: user), default: 0] += UInt64(count) }
    }
    let (segment, blocks) = builder.finish()
    #expect(segment.first == 100 && segment.last == 9099 && segment.batches == 0...179)
    #expect(segment.times == start.microseconds - 8999...start.microseconds)
    let counts = Segment.counts(segment.countBytes.span)
    #expect(counts == segment.counts)
    #expect(segment.counts.reduce(0) { $0 + $1.rows } == 9000)
    var keys: [[UInt8]] = []
    for block in blocks {
      #expect(block.bytes.count < PostingBlock.size * 2)
      var reader = PostingReader()
      var isFirst = true
      while reader.next(block.bytes.span) {
        if isFirst { #expect(reader.key == block.first) }
        isFirst = false
        keys.append(reader.key)
        if reader.key[0] == PostingKey.user {
          #expect(users.removeValue(forKey: reader.key) == reader.failures)
          continue
        }
        for group in reader.groups(block.bytes.span) {
          let key = Key(key: reader.key, origin: group.origin)
          #expect(rows.removeValue(forKey: key) == group.rows)
          #expect(failures.removeValue(forKey: key) == group.failures)
        }
      }
    }
    #expect(rows.isEmpty && users.isEmpty)
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
  }

  @Test func sortingByAByteAtATime() {
    var random = SplitMix(state: 3)
    var values: [UInt64] = []
    for i in 0..<5000 as Range<UInt64> {
      values.append((random.next() % 900) << 32 | i)
      values.append(random.next() & 0xFFFF_FFFF_0000_0000 | i)
    }
    let expected = values.enumerated().sorted { a, b in
      a.element >> 32 != b.element >> 32 ? a.element >> 32 < b.element >> 32 : a.offset < b.offset
    }
    #expect(RadixSort.byHighHalf(values) == expected.map { $0.element })
  }
}

struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
