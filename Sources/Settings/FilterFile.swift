public import Filters
internal import Model

/// A native filter: one service's patterns and their samples, in a YAML file (`filters/sshd.yaml`).
public enum FilterFile {
  /// Errors: everything that is wrong with the file's form. Whether the patterns compile is found by compiling them,
  /// whether they behave by `FilterDefinition.problems` and `bailiff filter test`.
  public static func load(path: String) throws(SettingsErrors) -> FilterDefinition {
    let problems = Problems()
    let definition = read(path, problems)
    guard let definition, problems.errors.isEmpty else { throw SettingsErrors(Problems.sorted(problems.errors)) }
    return definition
  }

  /// The same from a text; `file` is for messages, and its last part gives the name.
  public static func parse(_ text: String, file: String) throws(SettingsErrors) -> FilterDefinition {
    let problems = Problems()
    let definition = definition(Document.parse(text, file: file, problems), file: file, problems)
    guard let definition, problems.errors.isEmpty else { throw SettingsErrors(Problems.sorted(problems.errors)) }
    return definition
  }

  static func read(_ path: String, _ problems: Problems) -> FilterDefinition? {
    definition(Document.read(path, problems), file: path, problems)
  }

  private static func definition(_ root: Value?, file: String, _ problems: Problems) -> FilterDefinition? {
    guard let root else {
      if problems.errors.allSatisfy({ $0.place.file != file }) {
        problems.add(
          Place(file: file, line: 1, column: 1), "the filter is empty", remedy: "give it `patterns` and `samples`")
      }
      return nil
    }
    guard let fields = Fields(root, "filter", known: Keys.filter.names, elsewhere: ["failregex": "write `patterns`"])
    else {
      return nil
    }
    let name = FilterLibrary.name(ofPath: file)
    if let service = fields["service"]?.name("service"), service != name {
      fields["service"]?.fail(
        "the filter is called \(quoted(service)), its file \(quoted(name))", "give both the same name, which jails use")
    }
    let reader = PatternReader(fields)
    let patterns = reader.patterns("patterns")
    if patterns.isEmpty, !fields.has("patterns") {
      problems.add(fields.place, "the filter has no `patterns`", remedy: "add a list of - name: … match: '…'")
    }
    let rules = NativeRules(
      programs: fields["program"]?.names("program") ?? [], hasOwnLog: fields["own_log"]?.bool("own_log") ?? false,
      formats: reader.formats, patterns: patterns, ignore: reader.patterns("ignore"),
      untrustedAfterOpenQuote: fields["untrusted_after_open_quote"]?.integer("untrusted_after_open_quote", 1...65_536),
      torn: fields["torn"]?.text("torn", anyCharacter: true).map(reader.tags.expand),
      join: fields["join"].flatMap(join), records: fields["records"].flatMap(records))
    return FilterDefinition(
      name: name, file: file, summary: fields["summary"]?.text("summary") ?? "", rules: .native(rules),
      journalmatch: fields["journalmatch"]?.journalmatch() ?? [],
      logpath: fields["logpath"]?.logpaths() ?? [], writes: fields["writes"].flatMap(place),
      port: fields["port"]?.portNames() ?? [],
      maxretry: fields["maxretry"]?.integer("maxretry", Limits.maxretry),
      findtime: fields["findtime"]?.span("findtime"),
      samples: samples(fields))
  }

  private static func place(_ value: Value) -> LogPlace? {
    guard let name = value.name("writes") else { return nil }
    if let place = LogPlace(rawValue: name) { return place }
    value.fail(
      "`writes` is \(quoted(name))", "write " + LogPlace.allCases.map(\.rawValue).joined(separator: " or "))
    return nil
  }

  /// `{key: conn, keep: 10m}`.
  private static func join(_ value: Value) -> JoinDefinition? {
    guard let fields = Fields(value, "join", known: Keys.join.names) else { return nil }
    guard let key = fields["key"]?.name("key") else {
      if fields["key"] == nil { value.fail("`join` has no `key`", "name the group or field that has it: key: conn") }
      return nil
    }
    var join = JoinDefinition(key: key)
    if let keep = fields["keep"]?.span("keep") {
      if keep < .seconds(1) || keep > .hours(24) {
        fields["keep"]?.fail("`keep` is \(keep)", "write a time from 1s to 24h")
      }
      join.keep = keep
    }
    return join
  }

  private static func records(_ value: Value) -> RecordFormat? {
    guard let name = value.name("records") else { return nil }
    if let format = RecordFormat(rawValue: name) { return format }
    value.fail(
      "`records` is \(quoted(name))", "write " + RecordFormat.allCases.map(\.rawValue).joined(separator: " or "))
    return nil
  }

  private static func samples(_ fields: Fields) -> [Sample] {
    guard let items = fields["samples"]?.list("samples") else { return [] }
    return items.compactMap { item in
      guard let sample = Fields(item, "samples", known: Keys.sample.names) else { return nil }
      guard let line = sample["line"]?.text("line", anyCharacter: true) else {
        if sample["line"] == nil { item.fail("a sample has no `line`", "add line: '…' as the program prints it") }
        return nil
      }
      guard let expect = sample["expect"] else {
        item.fail("a sample has no `expect`", "add expect: none, or expect: {pattern: …, host: …}")
        return nil
      }
      return Sample(
        line: line, before: sample["before"]?.text("before", anyCharacter: true), expect: expectation(expect),
        place: item.place)
    }
  }

  private static func expectation(_ value: Value) -> [String: String]? {
    if value.word == "none" { return nil }
    guard value.isMap, let fields = Fields(value, "expect") else {
      value.fail("`expect` is \(value.typed)", "write expect: none, or expect: {pattern: …, host: …}")
      return nil
    }
    var expected: [String: String] = [:]
    for entry in fields.entries { expected[entry.key] = entry.value.text(entry.key, anyCharacter: true) }
    return expected
  }
}
