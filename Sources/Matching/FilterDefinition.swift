public import Model

/// What a filter says, before it is compiled: what `Settings` reads from YAML and `Fail2ban` from filter.d.
public struct FilterDefinition: Sendable, Equatable {
  public enum Rules: Sendable, Equatable {
    case native(NativeRules)
    case fail2ban(Fail2banRules)
  }

  /// The name by which jails call it: `sshd`.
  public var name: String
  /// The file it was read from.
  public var file: String
  public var summary: String
  public var rules: Rules
  /// Where its lines are, unless the jail says otherwise.
  public var journalmatch: [String]
  public var logpath: [String]
  /// Which ports to block, by service name or number; empty: all.
  public var port: [String]
  /// The limit that suits the service, for jails and defaults that name none.
  public var maxretry: Int?
  public var findtime: TimeSpan?
  public var samples: [Sample]

  public init(
    name: String, file: String, summary: String = "", rules: Rules, journalmatch: [String] = [], logpath: [String] = [],
    port: [String] = [], maxretry: Int? = nil, findtime: TimeSpan? = nil, samples: [Sample] = []
  ) {
    self.name = name
    self.file = file
    self.summary = summary
    self.rules = rules
    self.journalmatch = journalmatch
    self.logpath = logpath
    self.port = port
    self.maxretry = maxretry
    self.findtime = findtime
    self.samples = samples
  }
}

/// A native filter's patterns. They run on bytes; `^` is the start of the message when `programs` are named (the syslog
/// header is cut off, "message repeated N times: [ … ]" is unwrapped), else the start of the line.
public struct NativeRules: Sendable, Equatable {
  /// Syslog identifiers whose lines may match; `postfix` also represents `postfix/…`. Empty: every line, whole.
  public var programs: [String]
  /// Does the service also write a log of its own, without syslog's header? Lines that have none are then matched whole.
  public var hasOwnLog: Bool
  public var patterns: [PatternDefinition]
  /// A line that one of these matches is ignored, whatever `patterns` say.
  public var ignore: [PatternDefinition]
  /// For logs in which a client can write a line end inside quotes (nginx's error log): a line that begins within this
  /// many bytes after the start of a line that ends inside `"…` may be the client's own text, and is not believed.
  public var untrustedAfterOpenQuote: Int?
  /// How the program writes its records, where they may span lines; nil: a record is a line.
  public var records: RecordFormat?

  public init(
    programs: [String] = [], hasOwnLog: Bool = false, patterns: [PatternDefinition], ignore: [PatternDefinition] = [],
    untrustedAfterOpenQuote: Int? = nil, records: RecordFormat? = nil
  ) {
    self.programs = programs
    self.hasOwnLog = hasOwnLog
    self.patterns = patterns
    self.ignore = ignore
    self.untrustedAfterOpenQuote = untrustedAfterOpenQuote
    self.records = records
  }
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
  /// A PCRE2 pattern with `<host>`, `<user>`, `<port>` and `(?<name>…)`; a group named `count` multiplies the failure.
  public var match: String
  public var weight: Weight
  /// For daemons that write several lines about one attempt; `alone` means `whole` when another pattern of the filter says
  /// something else.
  public var attempt = AttemptPart.alone
  /// Where it is, for messages.
  public var place: Place

  public init(
    name: String, match: String, weight: Weight = .fixed(1), place: Place = Place(file: "", line: 0, column: 0)
  ) {
    self.name = name
    self.match = match
    self.weight = weight
    self.place = place
  }
}

/// What one match counts against `maxretry`.
public enum Weight: Sendable, Equatable {
  case fixed(Int)
  /// Chosen by what a named group captured (ModSecurity's severity); `otherwise` where it is not listed or empty.
  case captured(group: String, values: [String: Int], otherwise: Int)
}

/// A place in a file of settings, from 1; 0 where it is not known.
public struct Place: Sendable, Hashable {
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// A line that a filter carries with what must come of it.
public struct Sample: Sendable, Equatable {
  public var line: String
  /// The line before it in the log, where that decides (`untrustedAfterOpenQuote`).
  public var before: String?
  /// Nil: no failure. Keys: `pattern`, `host`, `user`, `count`, `weight` and any named group.
  public var expect: [String: String]?
  public var place: Place

  public init(line: String, before: String? = nil, expect: [String: String]?, place: Place) {
    self.line = line
    self.before = before
    self.expect = expect
    self.place = place
  }
}

/// A fail2ban filter after includes, overrides, options and interpolation; fail2ban's tags (`<HOST>`, `<F-USER>` …) still
/// are in the expressions.
public struct Fail2banRules: Sendable, Equatable {
  public enum DNS: String, Sendable { case yes, warn, no, raw }

  public var prefregex: String?
  public var failregex: [String]
  public var ignoreregex: [String]
  /// As written; nil: the default templates. Several are on lines of their own.
  public var datepattern: String?
  public var maxlines: Int
  public var usedns: DNS
  /// A fixed zone for stamps without one (`UTC+0200`, `Europe/Berlin`); nil: this machine's.
  public var logtimezone: String?
  /// `auto`, `utf-8`, `latin-1`, …
  public var logencoding: String

  public init(
    prefregex: String? = nil, failregex: [String], ignoreregex: [String] = [], datepattern: String? = nil,
    maxlines: Int = 1, usedns: DNS = .warn, logtimezone: String? = nil, logencoding: String = "auto"
  ) {
    self.prefregex = prefregex
    self.failregex = failregex
    self.ignoreregex = ignoreregex
    self.datepattern = datepattern
    self.maxlines = maxlines
    self.usedns = usedns
    self.logtimezone = logtimezone
    self.logencoding = logencoding
  }
}
