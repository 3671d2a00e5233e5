public import Model

/// A native filter's patterns. They run on bytes; `^` is the start of the message when `programs` are named (the syslog
/// header is cut off, "message repeated N times: [ … ]" is unwrapped), else the start of the line.
public struct NativeRules: Sendable, Equatable {
  /// Syslog identifiers whose lines may match; `postfix` also represents `postfix/…`. Empty: every line, whole.
  public var programs: [String]
  /// Does the service also write a log of its own, without syslog's header? Lines that have none are then matched whole.
  public var hasOwnLog: Bool
  /// How its lines are written: the first of these that a line is in. Text stands alone.
  public var formats: [FieldFormat]
  public var patterns: [PatternDefinition]
  /// A line that one of these matches is ignored, whatever `patterns` say.
  public var ignore: [PatternDefinition]
  /// For logs in which a client can write a line end inside quotes (nginx's error log): a line that begins within this
  /// many bytes after the start of a line that ends inside `"…` may be the client's own text, and is not believed.
  public var untrustedAfterOpenQuote: Int?
  /// Lines that show, when one matches, that a client's line end tore a record: what stands up to 4,096 bytes behind its
  /// beginning may be the client's own text: a match there that weighs anything is not believed.
  public var torn: [String]
  /// For logs in which a record whose end a client writes looks whole: a match that begins within this many bytes after the
  /// last one that was believed is not believed when it names another address.
  public var untrustedAfterMatch: Int?
  /// For services that name the client on another line than the failure; nil: each line says all.
  public var join: JoinDefinition?
  /// How the program writes its records, where they may span lines; nil: a record is a line.
  public var records: RecordFormat?

  public init(
    programs: [String] = [], hasOwnLog: Bool = false, formats: [FieldFormat] = [FieldFormat()],
    patterns: [PatternDefinition], ignore: [PatternDefinition] = [], untrustedAfterOpenQuote: Int? = nil,
    torn: [String] = [], untrustedAfterMatch: Int? = nil, join: JoinDefinition? = nil,
    records: RecordFormat? = nil
  ) {
    self.programs = programs
    self.hasOwnLog = hasOwnLog
    self.formats = formats
    self.patterns = patterns
    self.ignore = ignore
    self.untrustedAfterOpenQuote = untrustedAfterOpenQuote
    self.torn = torn
    self.untrustedAfterMatch = untrustedAfterMatch
    self.join = join
    self.records = records
  }
}

/// Lines that belong together, by a key that all of them have: a connection's number, a process's.
public struct JoinDefinition: Sendable, Equatable {
  /// The group or field that has the key. It must be the service's own text, never a client's.
  public var key: String
  /// For how long an opened key is kept, up to a day.
  public var keep: TimeSpan

  public init(key: String, keep: TimeSpan = .hours(1)) {
    self.key = key
    self.keep = keep
  }
}

/// What a line is to its key.
public enum JoinRole: String, Sendable, CaseIterable {
  /// Says who the client is, or what user it names; no failure.
  case opens
  /// The key is used no more; no failure.
  case closes
}

/// Records that may span lines.
public enum RecordFormat: String, Sendable, CaseIterable {
  /// nginx's error log, or a log that may be it: a client can write line ends into it.
  case nginx
  /// ModSecurity's audit log in its native form. The patterns see a record's first line, `\n`, and a line of its section
  /// H, in which the verdicts stand.
  case modsecurityAudit = "modsecurity-audit"
}

public struct PatternDefinition: Sendable, Equatable {
  public var name: String
  /// A PCRE2 pattern with `<host>`, `<user>`, `<port>` and `(?<name>…)`; a group named `count` multiplies the failure. Nil
  /// where `conditions` say all.
  public var match: String?
  /// What must hold for the line's fields.
  public var conditions: [FieldCondition]
  /// Where this pattern's host and others are in other fields than its formats' `fields` say.
  public var fields = FieldRoles()
  public var weight: Weight
  /// For daemons that write several lines about one attempt; `alone` means `whole` when another pattern of the filter says
  /// something else.
  public var attempt = AttemptPart.alone
  /// For `together`: what makes lines of one address one act, by groups, roles or fields, and for how long.
  public var act = ActDefinition(key: [], within: .zero)
  /// With the filter's `join`; nil: a failure, whose client the key's opening names.
  public var role: JoinRole?
  /// What the line tells of somebody who was let in; nil: it is a failure.
  public var event: ActivityEvent?
  /// Where it is, for messages.
  public var place: Place

  public init(
    name: String, match: String?, conditions: [FieldCondition] = [], weight: Weight = .fixed(1),
    place: Place = Place(file: "", line: 0, column: 0)
  ) {
    self.name = name
    self.match = match
    self.conditions = conditions
    self.weight = weight
    self.place = place
  }

  /// Its regular expressions that must match: the whole line's and those of fields.
  public var expressions: [String] {
    (match.map { [$0] } ?? [])
      + conditions.flatMap(\.tests).compactMap { if case .match(let text) = $0 { text } else { nil } }
  }
}

/// Lines that are one act, as the requests for a page's images are.
public struct ActDefinition: Sendable, Equatable {
  public var key: [String]
  /// From the first line on; up to an hour.
  public var within: TimeSpan

  public init(key: [String], within: TimeSpan) {
    self.key = key
    self.within = within
  }
}

/// What one match counts against `maxretry`.
public enum Weight: Sendable, Equatable {
  case fixed(Int)
  /// Chosen by what a named group captured, or by a field (ModSecurity's severity); `otherwise` where it is not listed or
  /// empty.
  case captured(group: String, values: [String: Int], otherwise: Int)
}
