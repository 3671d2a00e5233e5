import Fail2banMatching
import Filters
import Model
import TestSupport

@testable import Matching

/// Lines in a format are read as a slow reference reads them, and a filter finds with the prefilter what it finds without.
enum FieldsFuzz {
  private static let paths = ["status", "request.ip", "a.b.c", "tags", "tags.0", "a.b", "list.x"]
  private static let json = JSONKeys(paths)!
  private static let combined = CombinedReader(CombinedReader.fieldNames)

  private static let conditions: [[String: [FieldCondition.Test]]] = [
    ["status": [.equals(["401", "é"])]], ["a.b": [.match("(?i)fail.d"), .not([.equals(["failed"])])]],
    ["tags": [.equals(["x\"y/z"])]], ["list.x": [.atLeast(3), .below(1000)]],
  ]

  static func json(_ input: [UInt8]) {
    for line in input.split(separator: 10) { json(line: Array(line)) }
    compare(jsonFilter, input)
  }

  private static func json(line: [UInt8]) {
    let fields = read(line, slots: paths.count) { span, table throws(Unread) in
      try JSONReader.read(span, json, into: &table)
    }
    let reference = JSONReference(line)
    let expected = paths.map { reference?.values($0) }
    guard let fields else {
      return require(expected.contains(nil), "not read: \(line)")
    }
    for (slot, texts) in expected.enumerated() {
      require(
        texts.map(Set.init) == Set(fields[slot]), "\(paths[slot]): \(fields[slot]), not \(String(describing: texts))")
    }
  }

  static func combined(_ input: [UInt8]) {
    for line in input.split(separator: 10) { combined(line: Array(line)) }
    compare(combinedFilter, input)
  }

  private static func combined(line: [UInt8]) {
    let names = CombinedReader.fieldNames
    let fields = read(line, slots: names.count) { span, table throws(Unread) in try combined.read(span, into: &table) }
    let expected = CombinedReference.read(line)
    guard let fields else { return require(expected == nil, "not read: \(line)") }
    for (slot, name) in names.enumerated() where CombinedReference.fields.contains(name) {
      require(fields[slot].first == expected?[name], "\(name): \(fields[slot])")
    }
  }

  /// Each slot's texts; nil: not read.
  private static func read(
    _ line: [UInt8], slots: Int, _ body: (borrowing Span<UInt8>, inout FieldTable) throws(Unread) -> Void
  ) -> [[[UInt8]]]? {
    var table = FieldTable()
    table.clear(slots: slots)
    do throws(Unread) { try body(line.span, &table) } catch { return nil }
    return (0..<slots).map { slot in
      var texts: [[UInt8]] = []
      var next = table.value(slot)
      while let value = next {
        next = table.next(value)
        texts.append(table.withText(value, of: line.span) { text in (0..<text.count).map { text[$0] } })
      }
      return texts
    }
  }

  private static let jsonFilter = filter(
    .json, [.host: ["request.ip"]],
    conditions.map { $0.map { FieldCondition(field: $0.key, tests: $0.value) } })

  private static let combinedFilter = filter(
    .combined, [:],
    [
      [
        FieldCondition(field: "status", tests: [.equals(["401"])]),
        FieldCondition(field: "user", tests: [.absent(false)]),
      ],
      [FieldCondition(field: "path", tests: [.match("(?i)\\.env|/\\.\\./")])],
      [FieldCondition(field: "agent", tests: [.match("curl")])],
    ])

  private static func filter(
    _ format: LogFormat, _ roles: [FieldRole: [String]], _ patterns: [[FieldCondition]]
  ) -> Filter {
    let patterns = patterns.enumerated().map {
      PatternDefinition(name: "p\($0.offset)", match: nil, conditions: $0.element)
    }
    let rules = NativeRules(format: format, fields: FieldRoles(names: roles), patterns: patterns)
    do { return try Filter(FilterDefinition(name: "f", file: "fuzz", rules: .native(rules))) } catch {
      fatalError("\(error)")
    }
  }

  private static func compare(_ filter: Filter, _ text: [UInt8]) {
    let (alone, scanned) = (found(filter, text, isPrefiltered: false), found(filter, text, isPrefiltered: true))
    require(alone == scanned, "without the prefilter \(alone), with it \(scanned)")
  }

  private static func found(_ filter: Filter, _ text: [UInt8], isPrefiltered: Bool) -> [String] {
    let set = FilterSet([filter], isPrefiltered: isPrefiltered)
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: ZoneOffsets(name: "UTC")!)
    var found: [String] = []
    set.scan(text.span, clock: &clock, history: LineHistory()) { match, line, offset in
      found.append("\(offset): \(match.pattern) \(match.address) \(match.bytes(match.user, in: line)) \(match.time)")
    }
    return found
  }
}

/// Lines of access logs, read by a regular expression.
enum CombinedReference {
  static let fields = ["host", "user", "time", "status", "size", "referer", "agent"]

  private static let line = try! Pattern(
    #"^(?>(?<head>.*?) \[(?<time>[0-9]./.{3}/.{4}:.{8}[^\]]{0,16})\] ")(?<request>(?:[^"\\]|\\.)*+)"(?<rest>.*)$"#,
    options: [.dotAll, .dollarEndOnly])
  private static let item = try! Pattern(#"\G (?:"(?<quoted>(?:[^"\\]|\\.)*+)"|(?<bare>(?!")[^ ]*))"#, options: .dotAll)

  static func read(_ text: [UInt8]) -> [String: [UInt8]]? {
    var scratch = MatchScratch()
    guard scratch.match(line, text.span) == .matched else { return nil }
    func group(_ name: String) -> [UInt8] { scratch.group(line.group(named: name)!).map { Array(text[$0]) } ?? [] }
    var fields = ["time": group("time")]
    guard let head = self.head(group("head")) else { return nil }
    fields.merge(head) { $1 }
    let rest = group("rest")
    var (bare, quoted): ([[UInt8]], [[UInt8]]) = ([], [])
    var at = 0
    while at + 1 < rest.count, rest[at] == UInt8(ascii: " ") {
      guard scratch.match(item, rest.span, from: at) == .matched else { return nil }
      if let range = scratch.group(item.group(named: "quoted")!) { quoted.append(Array(rest[range])) }
      if let range = scratch.group(item.group(named: "bare")!) { bare.append(Array(rest[range])) }
      at = scratch.group(0)!.upperBound
    }
    guard !bare.isEmpty else { return nil }
    for (name, value) in zip(["status", "size"], bare) { fields[name] = value }
    for (name, value) in zip(["referer", "agent"], quoted) { fields[name] = value }
    return fields.filter { !$0.value.isEmpty && $0.value != [UInt8(ascii: "-")] }
  }

  private static func head(_ text: [UInt8]) -> [String: [UInt8]]? {
    let words = text.split(separator: 32, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
    func isAddress(_ word: [UInt8]?) -> Bool {
      var word = word ?? []
      if word.first == UInt8(ascii: "["), word.last == UInt8(ascii: "]") {
        word = Array(word.dropFirst().dropLast())
        if word.starts(with: "v1.".utf8) { word.removeFirst(3) }
      }
      return Address(parsing: word.span) != nil
    }
    let (first, second) = (words[0], words.count > 1 ? words[1] : nil)
    var rest = words.count > 2 ? words[2] : []
    if isAddress(first), isAddress(second), rest.starts(with: "- ".utf8) { return nil }
    guard !isAddress(first), isAddress(second) else { return ["host": first, "user": rest] }
    // Behind the virtual host and the client: IDENT USER.
    rest = Array(rest.drop { $0 != 32 }.dropFirst())
    return ["host": second!, "user": rest]
  }
}
