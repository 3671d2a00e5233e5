import Foundation
import Model
import Testing

@testable import AuditLog

/// The form in which failures are hashed and wait: what is read is what was written, and it never changes.
@Suite struct BatchEncoderTests {
  private struct Written {
    var head: RecordHead
    var name: [UInt8] = []
    var user: [UInt8] = []
    var rule: [UInt8] = []
    var line: [UInt8] = []
    var last: [UInt8] = []
  }

  private func encode(_ written: [Written]) -> BatchEncoder {
    var encoder = BatchEncoder()
    for one in written {
      encoder.append(
        one.head, name: one.name.span, user: one.user.span, rule: one.rule.span, line: one.line.span,
        lastLine: one.last.span)
    }
    return encoder
  }

  private func check(_ written: [Written]) {
    let encoder = encode(written)
    var heads = HeadReader()
    var lines = LineReader()
    for (i, one) in written.enumerated() {
      guard let record = heads.next(encoder.heads.span),
        let ranges = lines.next(record, encoder.heads.span, encoder.lines.span)
      else {
        Issue.record("record \(i) cannot be read")
        return
      }
      #expect(record.head.time == one.head.time)
      #expect(record.head.place == one.head.place)
      #expect(record.head.origin.number == one.head.origin.number)
      #expect(record.head.origin.key == one.head.origin.key)
      #expect(record.head.count == one.head.count)
      #expect(record.head.weight == one.head.weight)
      #expect(record.head.address == one.head.address)
      #expect(record.head.last?.time == one.head.last?.time)
      #expect(record.head.last?.place == one.head.last?.place)
      #expect(Array(encoder.heads[record.name]) == one.name)
      #expect(Array(encoder.heads[record.user]) == one.user)
      #expect(Array(encoder.heads[record.rule]) == one.rule)
      #expect(Array(lines.delta[ranges.line]) == one.line, "line \(i)")
      #expect(Array(lines.delta[ranges.last]) == one.last)
    }
    #expect(heads.next(encoder.heads.span) == nil)
    #expect(BatchSums.of(encoder.heads.span, encoder.lines.span) == encoder.sums)
    #expect(encoder.sums.count == 4 * written.count)
  }

  /// Words, signs, lines that share nothing, empty ones, ones of the greatest length; times and places that run backwards.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func whatIsReadIsWhatWasWritten(seed: UInt64) {
    var random = SplitMix(state: seed)
    let words = [
      "Failed", "password", "for", "root", "", "x", "192.0.2.7", "port", "4711", "[", "]:", "\u{1F986}", "  ", "\0",
      "USER", "ADDRESS", "[NUMBER]:", "ADDRESS:NUMBER", "::ffff:ADDRESS", "0NUMBER", "999999999999999999",
      "1234567890123456789",
    ]
    var written: [Written] = []
    for i in 0..<600 {
      var head = RecordHead(
        time: Int64(bitPattern: random.next() % 3 == 0 ? random.next() : UInt64(i)), place: Int64(i) * 117,
        origin: OriginReference(number: UInt32(random.next() % 5), key: 0), count: 1, weight: 1)
      head.origin.key = UInt64(head.origin.number) &* 0x9E37_79B9_7F4A_7C15
      if random.next() % 7 == 0 { head.count = UInt32(truncatingIfNeeded: random.next()) }
      if random.next() % 7 == 0 { head.weight = UInt32(random.next() % 3) }
      var one = Written(head: head)
      switch random.next() % 3 {
      case 0 where random.next() % 4 == 0: one.head.address = Address("192.0.2.7")
      case 0: one.head.address = Address(ipv4: UInt32(truncatingIfNeeded: random.next()))
      case 1: one.head.address = Address("2001:db8::\(i)")
      default: one.name = Array("session \(i)".utf8)
      }
      if random.next() % 2 == 0 { one.user = Array("user\(random.next() % 9)".utf8) }
      if random.next() % 9 == 0 { one.rule = Array("942100".utf8) }
      func line() -> [UInt8] {
        if random.next() % 40 == 0 { return (0..<2053).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        let count = Int(random.next() % 14)
        let text = (0..<count).map { _ in words[Int(random.next() % UInt64(words.count))] }.joined(separator: " ")
        // What the record says besides, and what only looks like it.
        let address = one.head.address?.description ?? "192.0.2.1"
        return Array(
          text.replacing("USER", with: String(decoding: one.user, as: UTF8.self)).replacing("ADDRESS", with: address)
            .replacing("NUMBER", with: String(random.next() >> (random.next() % 64))).utf8)
      }
      one.line = line()
      if random.next() % 5 == 0 {
        one.head.last = (one.head.time &+ 5, one.head.place - 3)
        one.last = line()
      }
      written.append(one)
    }
    check(written)
  }

  /// Every sign against every other: the steps must not run past either line.
  @Test func eightBytesAtATimeAreTheSameWords() {
    for byte in UInt8.min ... .max {
      for place in 0..<8 {
        // Beside bytes that would carry into it, and out of which it would be carried.
        for others in [0, 0x7F7F_7F7F_7F7F_7F7F, UInt64.max] {
          let mask = UInt64(0xFF) << (8 * place)
          let words = WordMap.words(others & ~mask | UInt64(byte) << (8 * place))
          #expect((words >> place & 1 == 1) == isWord(byte), "\(byte) at \(place)")
        }
      }
    }
  }

  private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: true
    default: [UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-")].contains(byte)
    }
  }

  /// At every place of lines of every length about a step's and a word's: where words end and begin, and how many spaces.
  @Test func theMapOfALineSaysWhereItsWordsAre() {
    var random = SplitMix(state: 3)
    let signs = Array("ab1.:- []\u{E9}".utf8)
    var map = WordMap()
    for count in Array(0...140) + [191, 192, 193, 2053] {
      for _ in 0..<4 {
        // Long words too: every sign is of one then.
        let kinds = random.next() % 3 == 0 ? 6 : signs.count
        let line = (0..<count).map { _ in signs[Int(random.next() % UInt64(kinds))] }
        let (range, spaces) = map.append(line.span)
        #expect(spaces == line.count { $0 == UInt8(ascii: " ") })
        let words = map.bits.span.extracting(range)
        for i in 0..<count {
          #expect(words.wordEnd(from: i) == line[i...].firstIndex { !isWord($0) } ?? count)
          let first = Int(random.next() % UInt64(i + 1))
          let start = line[first..<i].lastIndex { !isWord($0) }.map { $0 + 1 } ?? first
          #expect(words.wordStart(before: i, notBefore: first) == start)
        }
      }
      if count % 50 == 0 { map.removeAll() }
    }
  }

  @Test func bytesAreAlikeAsFarAsTheyAre() {
    var random = SplitMix(state: 4)
    for _ in 0..<20_000 {
      let a = (0..<Int(random.next() % 30)).map { _ in UInt8(random.next() % 2) }
      var b = a
      if !b.isEmpty, random.next() % 4 > 0 { b[Int(random.next() % UInt64(b.count))] = 7 }
      if random.next() % 3 == 0 { b.insert(contentsOf: [9, 9], at: 0) }
      let (i, j) = (Int(random.next() % UInt64(a.count + 1)), Int(random.next() % UInt64(b.count + 1)))
      let alike = zip(a[i...], b[j...]).prefix { $0 == $1 }.count
      #expect(a.span.alike(from: i, b.span, from: j) == alike)
    }
  }

  @Test func shortLinesOfAllShapes() {
    let signs = Array("a1 [".utf8)
    var written: [Written] = []
    for code in 0..<1024 {
      var line: [UInt8] = []
      var rest = code
      for _ in 0..<(code % 6) {
        line.append(signs[rest % 4])
        rest /= 4
      }
      let head = RecordHead(
        time: 0, place: 0, origin: OriginReference(number: 1, key: 7), count: 1, weight: 1, address: Address(ipv4: 1))
      written.append(Written(head: head, line: line))
    }
    check(written)
  }

  /// A line like the one before takes a fifth of its bytes.
  @Test func likeLinesAreShort() {
    let batch = FailureBatch(
      (0..<1000).map {
        Sample(time: start.adding(seconds(Int64($0) * 2)), address: "192.0.2.\($0 % 200)", offset: UInt64($0) * 100)
      })
    var encoder = FailureEncoder()
    encoder.add(batch) { _ in OriginReference(number: 1, key: 2) }
    #expect(encoder.records.heads.count + encoder.records.lines.count < 1000 * 22)
  }

  /// Anybody may have changed the file.
  @Test func bytesThatAreNotOursAreNotRead() {
    var random = SplitMix(state: 9)
    let good = encode([
      Written(
        head: RecordHead(
          time: 5, place: 6, origin: OriginReference(number: 1, key: 7), count: 2, weight: 3, address: Address(ipv4: 1),
          last: (9, 9)), user: Array("root".utf8), rule: Array("9".utf8), line: Array("one two".utf8),
        last: Array("one three".utf8))
    ])
    for round in 0..<4000 {
      var (heads, lines) = (good.heads, good.lines)
      for _ in 0...(random.next() % 3) {
        if random.next() % 2 == 0 {
          heads[Int(random.next() % UInt64(heads.count))] = UInt8(truncatingIfNeeded: random.next())
        } else {
          lines[Int(random.next() % UInt64(lines.count))] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      if round % 3 == 0 { heads.removeLast(Int(random.next() % UInt64(heads.count))) }
      if round % 5 == 0 { lines.removeLast(Int(random.next() % UInt64(lines.count))) }
      #expect(BatchSums.of(heads.span, lines.span).count <= 4 * heads.count)
    }
  }

  /// The chain of every store is hashed over these very bytes.
  @Test func theFormNeverChanges() {
    var samples = [
      Sample(offset: 17), Sample(time: start.adding(seconds(2)), address: "2001:db8::1", user: ""),
      Sample(time: start.adding(seconds(3)), name: "session-4711", user: "o'neill", count: 7, weight: 0),
      Sample(time: start.adding(seconds(4)), bytes: [0xFF, 0x00, 0x41, 0xC3]),
    ]
    samples += (0..<40).map {
      Sample(time: start.subtracting(seconds(Int64($0))), user: "u\($0)", line: $0 % 9 == 0 ? "" : nil)
    }
    samples += (0..<3).map { Sample(time: start, address: "203.0.113.1", line: "again \($0)") }
    var encoder = FailureEncoder()
    encoder.add(FailureBatch(samples)) { OriginReference(number: UInt32($0.jail) + 1, key: 0x0102_0304_0506_0708) }
    #expect(hex(encoder.records.digest) == "dbcaee4154c2f5fd47f9f2f26bec221ff91068f3011b226f4b0cbda64f1e4eb1")
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
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
