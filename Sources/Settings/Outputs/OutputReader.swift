internal import Model

/// Reads one entry of `outputs`.
struct OutputReader {
  let name: String
  let fields: Fields
  let problems: Problems
  /// Those that the settings name, to find mistyped ones.
  let jails: [String]

  enum Kind: String, CaseIterable {
    case webhook, mail, program, file, syslog, abuse, edge
  }

  static func read(_ entry: Fields.Entry, jails: [String], problems: Problems) -> OutputSettings? {
    if !SettingsReader.isName(entry.key) {
      problems.add(
        entry.place, "\(quoted(entry.key)) is no name for an output",
        remedy: "use up to 64 letters, digits, `-`, `_` and `.`")
    }
    guard let all = Fields(entry.value, entry.key) else { return nil }
    guard let value = all["type"] else {
      problems.add(
        entry.place, "output \(quoted(entry.key)) has no `type`",
        remedy: "write type: \(listed(Kind.allCases.map(\.rawValue)))")
      return nil
    }
    guard let kind = value.choice("type", Kind.self),
      let fields = Fields(entry.value, entry.key, known: (Keys.anyOutput + keys(kind)).names)
    else { return nil }
    let reader = OutputReader(name: entry.key, fields: fields, problems: problems, jails: jails)
    guard let destination = reader.destination(kind) else { return nil }
    var output = OutputSettings(name: entry.key, place: entry.place, destination: destination)
    reader.readGeneral(&output)
    reader.checkTogether(output)
    reader.checkKinds(output)
    return output
  }

  private static func keys(_ kind: Kind) -> [Key] {
    switch kind {
    case .webhook: Keys.webhook
    case .mail: Keys.mail
    case .program: Keys.program
    case .file: Keys.fileOutput
    case .syslog: Keys.syslog
    case .abuse: Keys.abuse
    case .edge: Keys.edge
    }
  }

  private func destination(_ kind: Kind) -> OutputSettings.Destination? {
    switch kind {
    case .webhook: webhook().map { .webhook($0) }
    case .mail: mail().map { .mail($0) }
    case .program: program().map { .program($0) }
    case .file: file().map { .file($0) }
    case .syslog: syslog().map { .syslog($0) }
    case .abuse: abuse().map { .abuse($0) }
    case .edge: edge().map { .edge($0) }
    }
  }

  // MARK: What all have

  private func readGeneral(_ output: inout OutputSettings) {
    if let value = fields["enabled"]?.bool("enabled") { output.enabled = value }
    output.kinds = fields["kinds"].map(kinds) ?? output.destination.usualKinds
    output.jails = Set(fields["jails"].map(jailNames) ?? [])
    if let value = fields["severity"]?.choice("severity", OutputSettings.Severity.self) { output.severity = value }
    output.rate = fields["rate"].flatMap(rate)
    output.digest = fields["digest"]?.span("digest")
    output.quiet = fields["quiet"].flatMap(quiet)
    if let value = fields["keep"]?.span("keep") { output.keep = value }
    output.text = fields["text"].flatMap { template("text", $0, without: [.text, .title, .events, .count]) }
    output.title = fields["title"].flatMap { template("title", $0, without: [.text, .title, .events]) }
  }

  private func kinds(_ value: Value) -> Set<OutputSettings.Kind> {
    let kinds = value.list("kinds")?.compactMap { $0.choice("kinds", OutputSettings.Kind.self) } ?? []
    if value.list("kinds")?.isEmpty == true {
      value.fail("`kinds` is empty; nothing would be told", "write kinds: [ban, alert, health]")
    }
    return Set(kinds)
  }

  /// Reports and edges know bans alone.
  private func checkKinds(_ output: OutputSettings) {
    switch output.destination {
    case .abuse, .edge:
      for key in ["kinds", "severity", "text", "title"] {
        fields[key]?.fail("\(quoted(key)) has no meaning for \(output.destination.type)", "drop it")
      }
    case .webhook, .mail, .program, .file, .syslog: break
    }
    guard case .edge = output.destination else { return }
    for key in ["rate", "digest", "quiet"] {
      fields[key]?.fail("\(quoted(key)) would let in who is banned", "drop it, or set `every`")
    }
  }

  private func jailNames(_ value: Value) -> [String] {
    (value.list("jails") ?? []).compactMap { item in
      guard let name = item.name("jails") else { return nil }
      if !jails.contains(name) {
        item.fail(
          "there is no jail \(quoted(name))",
          suggestion(for: name, among: jails, otherwise: "jails are: \(jails.joined(separator: ", "))"))
      }
      return name
    }
  }

  private func rate(_ value: Value) -> Rate? {
    let parts = (value.word ?? "").split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let count = Int(parts[0]), (1...100_000).contains(count),
      let span = try? TimeSpan(parsing: String(parts[1])), span > .zero
    else {
      value.fail("`rate` is \(value.typed)", "write how many messages in which time, for example 20/1h")
      return nil
    }
    return Rate(count: count, span: span)
  }

  private func quiet(_ value: Value) -> QuietHours? {
    guard let keys = Fields(value, "quiet", known: Keys.quiet.names) else { return nil }
    guard let from = keys["from"], let to = keys["to"] else {
      value.fail("`quiet` needs `from` and `to`", "write quiet: {from: 22:00, to: 07:00}")
      return nil
    }
    guard let start = minute("from", from), let end = minute("to", to) else { return nil }
    if start == end {
      to.fail("`quiet` begins and ends at the same time", "to hear nothing at all, write enabled: false")
    }
    return QuietHours(
      from: start, to: end, except: keys["except"].flatMap { $0.choice("except", OutputSettings.Severity.self) })
  }

  private func minute(_ key: String, _ value: Value) -> Int? {
    let parts = (value.word ?? "").split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].utf8.count == 2,
      parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else {
      value.fail("\(quoted(key)) is \(value.typed), which is no time of day", "write it as 22:00")
      return nil
    }
    return hour * 60 + minute
  }

  // MARK: Templates

  func template(_ key: String, _ value: Value, without excluded: Set<MessageTemplate.Field> = []) -> MessageTemplate? {
    guard let text = value.text(key, anyCharacter: true) else { return nil }
    let names = MessageTemplate.Field.allCases.filter { !excluded.contains($0) }.map(\.rawValue)
    do {
      let template = try MessageTemplate(text)
      if let wrong = template.fields.first(where: excluded.contains) {
        value.fail(
          "`{\(wrong.rawValue)}` cannot be used in \(quoted(key))", "names are: \(names.joined(separator: ", "))")
      }
      return template
    } catch {
      value.fail(
        "\(quoted(key)) names `{\(error.name)}`, which does not exist",
        suggestion(for: error.name, among: names, otherwise: "names are: \(names.joined(separator: ", "))"))
      return nil
    }
  }

  /// A message about one event cannot hold what a digest collects.
  private func checkTogether(_ output: OutputSettings) {
    let key = output.digest != nil ? "digest" : "rate"
    guard output.digest != nil || output.rate != nil, let body = fields["body"],
      let template = body.word.flatMap({ try? MessageTemplate($0) }),
      let field = template.fields.first(where: \.isOfOneEvent)
    else { return }
    body.fail(
      "`body` has `{\(field.rawValue)}`, which is of one event, and with \(quoted(key)) a message may hold several",
      "use {text}, {title}, {events} and {count}, or drop \(quoted(key))")
  }
}

extension OutputSettings.Destination {
  /// What it is told of where the settings do not say.
  var usualKinds: Set<OutputSettings.Kind> {
    switch self {
    case .webhook(let webhook): webhook.preset == .pagerduty ? [.alert, .health] : [.ban, .alert, .health]
    case .mail: [.ban, .alert, .health]
    case .program, .edge: [.ban, .unban]
    case .abuse: [.ban]
    case .file(let file): file.format == .fail2ban ? [.failure, .ban, .unban] : Set(OutputSettings.Kind.allCases)
    case .syslog(let syslog): syslog.format == .fail2ban ? [.failure, .ban, .unban] : Set(OutputSettings.Kind.allCases)
    }
  }
}
