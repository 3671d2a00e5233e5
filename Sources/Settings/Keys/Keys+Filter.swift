internal import Filters
internal import Model

extension Keys {
  /// A native filter (`filters/sshd.yaml`).
  static let filter: [Key] = [
    Key("service", .text, "The service, which is the file's name, too."),
    Key("summary", .text, "One line about what it finds."),
    Key("program", .list(.text), "Whose lines it sees, by the name in syslog's header or in the journal."),
    Key("own_log", .bool, "The service also writes a log of its own, without syslog's header."),
    Key("format", format, "How its lines are written; all but text give them fields."),
    Key("fields", .map(roles), "Which of a line's fields is what."),
    Key(
      "formats", .list(.map(fieldFormat)), "Several formats with their fields, of which a line has the first that fits."
    ),
    Key("journalmatch", .list(.text), "Where its lines are in the journal."),
    Key("logpath", .list(.text), "Where its lines are in files."),
    Key("writes", words(LogPlace.self), "Where the service writes unless it is told otherwise."),
    Key("port", .list(.either([.integer(1...65535), .text])), "What a ban closes, unless the jail says otherwise."),
    Key("maxretry", .integer(Limits.maxretry), "What it recommends."),
    Key("findtime", .time, "What it recommends."),
    Key("tags", .named(.text), "Parts of patterns that several of them share, by name."),
    Key("tags_of", .text, "The filter beside this one whose tags it uses, too."),
    Key("patterns", .list(.map(pattern)), "What a failure looks like."),
    Key("ignore", .list(.map(ignored)), "Lines that are none, whatever the patterns say."),
    Key(
      "untrusted_after_open_quote", .integer(1...65536), "Beyond this column a quote that is still open hides the rest."
    ),
    Key("torn", .list(.text), "Patterns of lines that a client's line end tore: what follows is not believed."),
    Key(
      "untrusted_after_match", .integer(1...4096),
      "For so many bytes behind a match, one of another address is not believed."),
    Key("join", .map(join), "How lines of one connection are told, where not all of them have the address."),
    Key("records", words(RecordFormat.self), "How records of several lines are framed."),
    Key("samples", .list(.map(sample)), "Lines, and what is found in them."),
  ]

  static let fieldFormat: [Key] = [
    Key("format", format, "How the lines are written."),
    Key("fields", .map(roles), "Which of a line's fields is what."),
  ]

  /// A word, or a map of one key.
  private static let format: Key.Kind = .either([
    .word(FormatReader.words),
    .map([
      Key("nginx", .text, "The format string of a log_format."),
      Key("apache", .text, "The format string of a LogFormat."),
      Key("split", .text, "A PCRE2 pattern whose named groups are the fields."),
      Key("csv", .list(.text), "The columns between commas."),
      Key("tsv", .list(.text), "The columns between tabs."),
      Key("spaces", .list(.text), "The columns between spaces, in quotes where they hold some."),
      Key("w3c", .list(.text), "The columns until a header line names them."),
    ]),
  ])

  static let ignored: [Key] = [
    Key("name", .text, "A short name."),
    Key("match", .text, "A PCRE2 pattern with <host>, <user>, <port>."),
    Key("where", .named(condition), "What must hold for the line's fields, by their names."),
  ]

  static let pattern: [Key] =
    ignored + [
      Key("fields", .map(roles), "Which field is what, where this pattern differs from the filter."),
      Key("weight", .either([.integer(Limits.weight), .map(weight)]), "How much a match counts."),
      Key("role", words(JoinRole.self), "With join: what the line is to its key."),
      Key(
        "kind", words(PatternKind.self), "activity: the line is no failure, it tells what somebody did who was let in."),
      Key("event", words(ActivityEvent.self), "Of an activity: what was done."),
      Key("attempt", .either([.word(["begins", "ends"]), .map(act)]), "This line and others are one try."),
    ]

  /// A field's name, or several, of which the first that is there counts.
  static let roles: [Key] = FieldRole.allCases.map { Key($0.rawValue, .list(.text), "The field that has it.") }

  /// A value, several of which one, or tests that must all hold.
  static let condition: Key.Kind = .either([.list(.text), .map(tests + [Key("not", negated, "None of this holds.")])])

  private static let negated: Key.Kind = .either([.list(.text), .map(tests)])

  private static let tests: [Key] = [
    Key("match", .text, "A PCRE2 pattern that is found in it."),
    Key("has", .list(.text), "Texts of which one is in it, in any case, also with percent signs."),
    Key("at_least", .integer(Limits.fieldNumber), "A number that is not smaller."),
    Key("below", .integer(Limits.fieldNumber), "A number that is smaller."),
    Key("absent", .bool, "There is nothing, or there is something."),
  ]

  static let join: [Key] = [
    Key("key", .text, "The group or field that they share."),
    Key("keep", .time, "For how long a client is remembered, up to 24h."),
  ]

  static let act: [Key] = [
    Key("key", .list(.text), "Groups or fields whose texts lines of one act share."),
    Key("within", .time, "For how long after the first line, up to 1h."),
  ]

  static let weight: [Key] = [
    Key("group", .text, "The group whose text decides."),
    Key("values", .named(.integer(Limits.weight)), "Text to weight."),
    Key("otherwise", .integer(Limits.weight), "The weight of any other text."),
  ]

  static let sample: [Key] = [
    Key("line", .text, "A line as the program prints it."),
    Key("before", .text, "Lines that come before it."),
    Key("expect", .either([.word(["none"]), .named(.text)]), "none, or what is found: {pattern: …, host: …}."),
  ]
}
