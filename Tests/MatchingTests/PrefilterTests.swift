import Fail2banMatching
import Filters
import Model
import TestSupport
import Testing

@testable import Matching

/// The prefilter changes what a scan costs, never what it finds.
@Suite struct PrefilterTests {
  private func definition(_ matches: [String], programs: [String] = []) -> FilterDefinition {
    FilterDefinition(
      name: "t\(matches.hashValue)", file: "t.yaml",
      rules: .native(
        NativeRules(
          programs: programs,
          patterns: matches.enumerated().map { PatternDefinition(name: "p\($0.offset)", match: $0.element) })))
  }

  private func found(_ filters: [Filter], _ text: [UInt8], isPrefiltered: Bool, chunk: Int) -> [String] {
    let set = FilterSet(filters, isPrefiltered: isPrefiltered)
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: ZoneOffsets(name: "UTC")!)
    let history = LineHistory()
    var found: [String] = []
    var start = 0
    while start < text.count {
      // Whole lines, about `chunk` bytes at a time.
      var end = min(start + chunk, text.count)
      while end < text.count, text[end - 1] != 10 { end += 1 }
      let lines = Array(text[start..<end])
      set.scan(lines.span, clock: &clock, history: history) { match, _, offset in
        found.append("\(start + offset) \(match.filter) \(match.pattern) \(match.address)")
      }
      start = end
    }
    return found
  }

  /// A line that comes alone is a short text, and lies anywhere in memory. Vectorscan itself misses some there
  /// (findings/vectorscan-5.4-short-texts.sh).
  @Test func shortTextsAreFoundWhereverTheyLie() throws {
    var random = Numbers(state: 3)
    func letters(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0..<20, using: &random) }
    }
    for _ in 0..<400 {
      var literals = (0..<Int.random(in: 1...4, using: &random)).map { _ in
        letters(Int.random(in: 4...9, using: &random))
      }
      // One that ends as another does.
      literals.append([UInt8(ascii: " ")] + literals[0])
      let prefilter = try #require(Prefilter(literals.map { RequiredLiterals(String(decoding: $0, as: UTF8.self)) }))
      let scratch = try #require(PrefilterScratch(prefilter))
      for _ in 0..<100 {
        let offset = Int.random(in: 0..<64, using: &random)
        var memory = letters(offset + Int.random(in: 12...200, using: &random))
        let planted = literals.randomElement(using: &random)!
        let start = Int.random(in: offset...memory.count - planted.count, using: &random)
        memory.replaceSubrange(start..<start + planted.count, with: planted)
        let isScanned = scratch.scan(memory.span.extracting(offset..<memory.count))
        let ends = scratch.hits.map { Int($0 >> 32) }
        #expect(
          isScanned && ends.contains(start - offset + planted.count), "\(memory.count - offset) bytes at \(offset)")
        #expect(ends.allSatisfy { $0 <= memory.count - offset })
      }
    }
  }

  /// Random lines of the patterns' own words, so that literals are at line starts and ends, twice in a line, across
  /// would-be boundaries, in either case.
  @Test func findsWhatPCRE2AloneFinds() throws {
    var random = Numbers(state: 5)
    let filters = [
      try Filter(definition(["^alpha beta <host>", "beta.*gamma <host>$", "(?i)delta <host>"])),
      try Filter(definition(["(?:gamma|alpha) from <host>", "^x?alpha from <host>"])),
      try Filter(definition(["alpha <host>"], programs: ["sshd"])),
    ]
    let words = [
      "alpha", "beta", "gamma", "Delta", "from", "192.0.2.1", "2001:db8::1", "x", "999.1.1.1", "sshd[1]:", "\r", "\0",
      "",
    ]
    var total = 0
    for round in 0..<60 {
      var text: [UInt8] = []
      for _ in 0..<200 {
        if Int.random(in: 0..<8, using: &random) == 0 { text += Array("Nov 21 05:24:01 web sshd[8]: ".utf8) }
        let count = Int.random(in: 0...6, using: &random)
        text += (0..<count).map { _ in words.randomElement(using: &random)! }.joined(separator: " ").utf8
        text.append(10)
      }
      if round % 2 == 0 { text.removeLast() }
      let with = found(filters, text, isPrefiltered: true, chunk: [50, 1000, 1 << 20][round % 3])
      let without = found(filters, text, isPrefiltered: false, chunk: 1 << 20)
      #expect(with == without)
      total += with.count
    }
    #expect(total > 300)
  }

  @Test func aPatternWithoutLiteralsSeesEveryLine() throws {
    let filters = [try Filter(definition(["^<host>$"])), try Filter(definition(["alphabet <host>"]))]
    #expect(filters[0].patternsWithoutLiterals == ["p0"])
    let text = Array("192.0.2.1\nnothing\nalphabet 192.0.2.2\n".utf8)
    #expect(found(filters, text, isPrefiltered: true, chunk: 4096).count == 2)
  }

  @Test func fail2banFiltersFindTheSame() throws {
    let rules = Fail2banRules(failregex: [
      "^<HOST> - \\S+ \\[\\] \"GET /private[^\"]*\" 401", "^\\s*Failed\\s+login for \\S+ from <HOST>$",
    ])
    let filter = try Filter(FilterDefinition(name: "f", file: "f.conf", rules: .fail2ban(rules)))
    #expect(filter.patternsWithoutLiterals.isEmpty)
    let text = Array(
      """
      192.0.2.1 - - [21/Nov/2026:05:24:01 +0000] "GET /private/x HTTP/1.1" 401 12
      192.0.2.2 - - [21/Nov/2026:05:24:01 +0000] "GET /public HTTP/1.1" 200 12
      2026-11-21 05:24:01 Failed login for root from 192.0.2.3
      Failed 2026-11-21 05:24:01 login for root from 192.0.2.4

      """.utf8)
    let with = found([filter], text, isPrefiltered: true, chunk: 4096)
    #expect(with == found([filter], text, isPrefiltered: false, chunk: 4096))
    #expect(with.count == 3)
  }
}
