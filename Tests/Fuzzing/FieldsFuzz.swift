import Fail2banMatching
import Filters
import Model
import TestSupport

@testable import Matching

/// Lines in a format are read as a slow reference reads them, and a filter finds with the prefilter what it finds without.
enum FieldsFuzz {
  private static let paths = ["status", "request.ip", "a.b.c", "tags", "tags.0", "a.b", "list.x"]
  private static let json = JSONKeys(paths.enumerated().map { ($0.offset, $0.element) })!
  private static let combined = CombinedReader(CombinedReader.fieldNames.enumerated().map { ($0.offset, $0.element) })

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

  private static let keys = ["host", "msg", "status", "user"]
  private static let logfmtReader = LogfmtReader(keys.enumerated().map { ($0.offset, $0.element) })!

  static func logfmt(_ input: [UInt8]) {
    for line in input.split(separator: 10) {
      let fields = read(Array(line), slots: keys.count) { span, table throws(Unread) in
        try logfmtReader.read(span, into: &table)
      }
      let expected = LogfmtReference.read(Array(line), keys)
      require((fields == nil) == (expected == nil), "read: \(fields != nil): \(line)")
      guard let fields, let expected else { continue }
      // The reference does not undo escapes.
      for (slot, key) in keys.enumerated() where expected[key]?.contains(UInt8(ascii: "\\")) != true {
        require(
          fields[slot].first == expected[key], "\(key): \(fields[slot]), not \(String(describing: expected[key]))")
      }
    }
    compare(keyFilter(.logfmt), input)
  }

  static func columns(_ input: [UInt8]) {
    for format in [LogFormat.separated(by: UInt8(ascii: ","), columns: []), .w3c(columns: keys)] {
      compare(keyFilter(format), input)
    }
    // What is between separators, where nothing is in quotes.
    let reader = ColumnReader(keys.enumerated().map { ($0.offset, $0.element) }, UInt8(ascii: ","), keys)
    for line in input.split(separator: 10) where !line.contains(UInt8(ascii: "\"")) {
      var header = ColumnHeader()
      let fields = read(Array(line), slots: keys.count) { span, table throws(Unread) in
        try reader.read(span, &header, into: &table)
      }
      let values = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(Array.init)
      require((fields == nil) == (values.count != keys.count), "read: \(fields != nil): \(line)")
      for (slot, value) in (fields.map { zip($0, values).map { ($0, $1) } } ?? []) {
        require(slot.first ?? [UInt8(ascii: "-")] == value || value.isEmpty, "\(slot), not \(value)")
      }
    }
  }

  static func split(_ input: [UInt8]) {
    let text =
      #"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" $http_x"#
    compare(
      filter(
        .server(ServerFormat(kind: .nginx, text: text, place: Place(file: "", line: 0, column: 0))), [:],
        [[FieldCondition(field: "status", tests: [.equals(["401"])])]]), input)
    compare(filter(.haproxy, [:], [[FieldCondition(field: "status", tests: [.equals(["401"])])]]), input)
  }

  private static func keyFilter(_ format: LogFormat) -> Filter {
    filter(
      format, [.host: ["host"], .user: ["user"]],
      [
        [FieldCondition(field: "status", tests: [.equals(["failed", "401"])])],
        [FieldCondition(field: "msg", tests: [.match("(?i)login fail\"d")])],
      ])
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
    let rules = NativeRules(formats: [FieldFormat(format, fields: FieldRoles(names: roles))], patterns: patterns)
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

/// Lines of logfmt, read by a regular expression; escapes are left as they are.
enum LogfmtReference {
  private static let item = try! Pattern(
    #"\G *(?:(?<bare>[^ ="]++)(?= |$)|(?<key>[^ ="]*+)=(?:"(?<quoted>(?:[^"\\]|\\.)*+)"(?= |$)|(?<value>[^ "]*+)(?= |$)))"#,
    options: [.dotAll, .dollarEndOnly])

  static func read(_ line: [UInt8], _ keys: [String]) -> [String: [UInt8]]? {
    var scratch = MatchScratch(matchLimit: 10_000_000)
    var fields: [String: [UInt8]] = [:]
    var seen: Set<String> = []
    var hasPairs = false
    var end = line.count
    while end > 0, line[end - 1] == 32 { end -= 1 }
    var at = 0
    let text = Array(line[..<end])
    while at < end {
      guard scratch.match(item, text.span, from: at) == .matched else { return nil }
      at = scratch.group(0)!.upperBound
      func group(_ name: String) -> [UInt8]? { scratch.group(item.group(named: name)!).map { Array(line[$0]) } }
      guard let key = group("key") else { continue }
      hasPairs = true
      let name = String(decoding: key, as: UTF8.self)
      guard keys.contains(name) else { continue }
      guard seen.insert(name).inserted else { return nil }
      let value = group("quoted") ?? group("value") ?? []
      if !value.isEmpty, value != [UInt8(ascii: "-")] { fields[name] = value }
    }
    return hasPairs ? fields : nil
  }
}
