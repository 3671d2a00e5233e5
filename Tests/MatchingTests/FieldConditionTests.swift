import Fail2banMatching
import Filters
import Model
import TestSupport
import Testing

@testable import Matching

/// Filters on fields: conditions, roles, and the prefilter that must not change what they find.
@Suite struct FieldConditionTests {
  struct Found: Equatable {
    var pattern: Int
    var host: String
    var user: String
    var weight: Int
    var time: Instant?
  }

  static func filter(
    _ format: LogFormat, _ roles: [FieldRole: [String]] = [:], programs: [String] = [], _ patterns: [PatternDefinition],
    ignore: [PatternDefinition] = []
  ) throws -> Filter {
    try Filter(
      FilterDefinition(
        name: "t", file: "t.yaml",
        rules: .native(
          NativeRules(
            programs: programs, formats: [FieldFormat(format, fields: FieldRoles(names: roles))], patterns: patterns,
            ignore: ignore))))
  }

  static func pattern(_ name: String, _ conditions: [String: [FieldCondition.Test]], weight: Weight = .fixed(1))
    -> PatternDefinition
  {
    PatternDefinition(
      name: name, match: nil,
      conditions: conditions.sorted { $0.key < $1.key }.map { FieldCondition(field: $0.key, tests: $0.value) },
      weight: weight)
  }

  static func scan(_ filter: Filter, _ lines: [UInt8], isPrefiltered: Bool = true) -> (
    found: [Int: Found], counts: FilterSet.Counts
  ) {
    let set = FilterSet([filter], isPrefiltered: isPrefiltered)
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    var found: [Int: Found] = [:]
    set.scan(lines.span, clock: &clock, history: LineHistory()) { match, line, offset in
      found[offset] = Found(
        pattern: match.pattern, host: match.address.description,
        user: String(decoding: match.bytes(match.user, in: line), as: UTF8.self),
        weight: match.weight, time: match.isDated ? match.time : nil)
    }
    return (found, set.counts)
  }

  static func found(_ filter: Filter, _ line: String) -> Found? { scan(filter, Array(line.utf8)).found[0] }

  @Test func jsonFields() throws {
    let filter = try Self.filter(
      .json, [.host: ["client_ip", "remote"], .user: ["user.name"], .time: ["ts"], .status: ["response.status"]],
      [
        Self.pattern("failed", ["status": [.equals(["401", "403"])], "ok": [.not([.equals(["true"])])]]),
        Self.pattern(
          "text", ["msg": [.match("^login of <user> failed from <host>$")]],
          weight: .captured(group: "level", values: ["error": 7], otherwise: 2)),
      ])
    #expect(
      Self.found(
        filter, #"{"ts":1795845276.5,"response":{"status":401},"remote":"192.0.2.7","user":{"name":"al\"ice"}}"#)
        == Found(
          pattern: 0, host: "192.0.2.7", user: "al\"ice", weight: 1, time: Instant(microseconds: 1_795_845_276_500_000))
    )
    // The first field that is there; a number as a text is the same.
    #expect(
      Self.found(filter, #"{"response":{"status":"403"},"remote":"192.0.2.7","client_ip":"2001:db8::7"}"#)?.host
        == "2001:db8::7")
    #expect(
      Self.found(filter, #"{"response":{"status":401},"remote":"192.0.2.7","client_ip":""}"#)?.host == "192.0.2.7")
    #expect(Self.found(filter, #"{"response":{"status":401},"remote":"192.0.2.7","ok":true}"#) == nil)
    #expect(Self.found(filter, #"{"response":{"status":401},"remote":"-"}"#) == nil)
    #expect(Self.found(filter, #"{"response":{"status":4010},"remote":"192.0.2.7"}"#) == nil)
    // What a pattern captures goes before the fields; the user is unescaped before it is matched.
    #expect(
      Self.found(filter, #"{"msg":"login of x\ty failed from 192.0.2.9","remote":"192.0.2.7","level":"error"}"#)
        == Found(pattern: 1, host: "192.0.2.9", user: "x\ty", weight: 7, time: nil))
    #expect(Self.found(filter, #"{"msg":"login of x failed from 192.0.2.9"}"#)?.weight == 2)
  }

  /// A client's text is a text, whatever it looks like.
  @Test func textsCannotBecomeKeys() throws {
    let filter = try Self.filter(.json, [.host: ["ip"]], [Self.pattern("failed", ["status": [.equals(["401"])]])])
    #expect(
      Self.found(filter, #"{"uri":"x\",\"status\":401,\"ip\":\"10.9.9.9\",\"y\":\"","status":200,"ip":"192.0.2.7"}"#)
        == nil)
    let (found, counts) = Self.scan(
      filter, Array(#"{"uri":"x","status":401,"ip":"10.9.9.9","ip":"192.0.2.7","status":401}"#.utf8))
    #expect(found.isEmpty && counts.distrusted == 1)
    #expect(Self.scan(filter, Array("status=401 ip=192.0.2.7 :401".utf8)).counts.otherFormat == 1)
  }

  @Test func throughSyslog() throws {
    let any = try Self.filter(.json, [.host: ["ip"]], [Self.pattern("failed", ["status": [.equals(["401"])]])])
    let json = #"{"status":401,"ip":"192.0.2.7"}"#
    #expect(Self.found(any, "Nov 28 04:35:01 web app[7]: " + json)?.host == "192.0.2.7")
    #expect(Self.found(any, "<38>1 2026-11-28T04:35:01Z web app 7 - - " + json)?.host == "192.0.2.7")
    #expect(Self.found(any, "x y[1]: " + json) == nil)
    let own = try Self.filter(
      .json, [.host: ["ip"]], programs: ["app"], [Self.pattern("failed", ["status": [.equals(["401"])]])])
    #expect(
      Self.found(own, "Nov 28 04:35:01 web app[7]: @cee: " + json)?.time == Instant(rfc3339: "2026-11-28T04:35:01Z"))
    #expect(Self.found(own, "Nov 28 04:35:01 web other[7]: " + json) == nil)
    #expect(Self.found(own, json) == nil)
  }

  @Test func combinedFields() throws {
    let filter = try Self.filter(
      .combined, [:],
      [
        Self.pattern("login", ["status": [.equals(["401"])], "user": [.absent(false)]]),
        Self.pattern("probe", ["path": [.match(#"(?i)/\.env"#)], "status": [.atLeast(400), .below(500)]]),
        Self.pattern("mismatch", ["referer": [.absent(true)], "method": [.equals(["BREW"])]]),
      ])
    func line(_ user: String, _ request: String, _ status: Int) -> String {
      #"192.0.2.7 - \#(user) [28/Nov/2026:06:56:41 +0000] "\#(request)" \#(status) 1 "-" "x""#
    }
    let time = Instant(rfc3339: "2026-11-28T06:56:41Z")
    #expect(
      Self.found(filter, line("bob", "GET / HTTP/1.1", 401))
        == Found(pattern: 0, host: "192.0.2.7", user: "bob", weight: 1, time: time))
    #expect(Self.found(filter, line("-", "GET / HTTP/1.1", 401)) == nil)
    #expect(Self.found(filter, line("-", "GET /.ENV HTTP/1.1", 404))?.pattern == 1)
    #expect(Self.found(filter, line("-", "GET /.env HTTP/1.1", 500)) == nil)
    #expect(Self.found(filter, line("-", "BREW / HTTP/1.1", 200))?.pattern == 2)
    #expect(Self.found(filter, "Nov 28 06:56:41 web nginx: " + line("bob", "GET / HTTP/1.1", 401))?.host == "192.0.2.7")
    // Without a stamp, what looks like a header may be the client's.
    #expect(
      Self.found(filter, #"192.0.2.7 x[1]: 10.9.9.9 - - [28/Nov/2026:06:56:41 +0000] "GET /.env HTTP/1.1" 404 1"#)?.host
        != "10.9.9.9")
  }

  @Test func times() throws {
    var clock = LogClock(now: Instant(rfc3339: "2026-11-28T12:00:00Z")!, zone: ZoneOffsets(name: "UTC")!)
    let second = Instant(seconds: 1_795_845_276)
    for (text, microseconds) in [
      ("1795845276", 0), ("1795845276.25", 250_000), ("1795845276250", 250_000), ("1795845276250001", 250_001),
      ("1795845276250001999", 250_001), ("1.79584527625e+09", 250_000), ("2026-11-28T05:54:36.25Z", 250_000),
      ("2026-11-28T06:54:36.25+01:00", 250_000), ("28/Nov/2026:05:54:36 +0000", 0), ("[2026-11-28 05:54:36]", 0),
    ] {
      #expect(
        Stamp.whole(Array(text.utf8).span, clock: &clock)
          == Instant(microseconds: second.microseconds + Int64(microseconds)), "\(text)")
    }
  }

  @Test func numbers() {
    var random = Numbers(state: 3)
    for _ in 0..<20_000 {
      let text = Array(
        (0..<Int.random(in: 0...9, using: &random)).map { _ in "0123456789-.eE+x".randomElement(using: &random)! }.map(
          String.init
        ).joined().utf8)
      let number = ConditionReference.number(text)
      let floor = NumberText.floor(text.span)
      #expect((floor == nil) == (number == nil), "\(String(decoding: text, as: UTF8.self))")
      guard let floor, let number else { continue }
      for limit in [-1000, -1, 0, 1, 5, 400, 1_000_000] {
        #expect((floor >= limit) == (number >= Double(limit)), "\(String(decoding: text, as: UTF8.self)) and \(limit)")
      }
    }
  }

  /// Random filters on random objects: the prefilter changes nothing, and conditions are what the reference says.
  @Test func sameAsTheReference() throws {
    var random = Numbers(state: 17)
    var hits = 0
    for _ in 0..<150 {
      let patterns = (0..<3).map { Self.pattern("p\($0)", Self.randomConditions(&random)) }
      let filter = try Self.filter(.json, [.host: ["request.ip"]], patterns)
      var text: [UInt8] = []
      var expected: [Int: Int] = [:]
      for _ in 0..<60 {
        var line = JSONReaderTests.Generator.object(&random, 3)
        if Bool.random(using: &random) { line = #"{"request":{"ip":"192.0.2.7"},"# + line.dropFirst() }
        if let match = Self.reference(patterns, Array(line.utf8)) { expected[text.count] = match }
        text += Array(line.utf8) + [10]
      }
      for isPrefiltered in [true, false] {
        let found = Self.scan(filter, text, isPrefiltered: isPrefiltered).found.mapValues(\.pattern)
        #expect(found == expected, "\(patterns.map(\.conditions))")
      }
      hits += expected.count
    }
    #expect(hits > 500, "\(hits)")
  }

  /// The first pattern that holds for a line with a host.
  private static func reference(_ patterns: [PatternDefinition], _ line: [UInt8]) -> Int? {
    guard let object = JSONReference(line) else { return nil }
    var fields = ["request.ip"]
    for condition in patterns.flatMap(\.conditions) where !fields.contains(condition.field) {
      fields.append(condition.field)
    }
    var values: [String: [[UInt8]]] = [:]
    for field in fields {
      guard let texts = object.values(field) else { return nil }
      values[field] = texts
    }
    guard let host = values["request.ip"]?.first, Address(parsing: host.span) != nil else { return nil }
    var scratch = MatchScratch()
    return patterns.firstIndex { pattern in
      pattern.conditions.allSatisfy { condition in
        ConditionReference.holds(condition.tests, values[condition.field]!) { expression, text in
          scratch.match(try! Pattern(expression, options: [.dotAll, .dollarEndOnly]), text.span) == .matched
        }
      }
    }
  }

  private static func randomConditions(_ random: inout Numbers) -> [String: [FieldCondition.Test]] {
    let fields = ["status", "request.headers.auth", "a.b", "tags", "tags.0", "a.b.c", "x"]
    var conditions: [String: [FieldCondition.Test]] = [:]
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      let test: FieldCondition.Test
      switch Int.random(in: 0..<8, using: &random) {
      case 0...2:
        let texts = ["401", "true", "a401", "A", "aA", "é", "\"", "x\u{1F600}", "\n", "aa", "401401", ","]
        test = .equals((0..<Int.random(in: 1...2, using: &random)).map { _ in texts.randomElement(using: &random)! })
      case 3, 4:
        test = .match(["^a", "401", "(?i)A.?x", "é$", "status", "[a-c]{2}", "A|xx"].randomElement(using: &random)!)
      case 5: test = .atLeast([-1, 0, 2, 401].randomElement(using: &random)!)
      case 6: test = .absent(Bool.random(using: &random))
      default: test = .not([.equals(["401", "x"])])
      }
      conditions[fields.randomElement(using: &random)!] = [test]
    }
    return conditions
  }
}
