/// What is fed to fuzzers: every reader of what somebody else wrote. Each run traps where the program would do wrong, and
/// otherwise says nothing.
///
/// ```swift
/// FuzzTarget.addresses.run(Array("::ffff:192.0.2.7".utf8))
/// ```
/// libFuzzer runs them through `Tests/Fuzz`, for a time (`make fuzz`); `FuzzTests` runs them on `fixtures/fuzz`.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// Bytes into lines: from files and from streams, of any length.
  case lines
  /// Time stamps of native filters, fail2ban's dates and date patterns.
  case dates
  case addresses
  /// `filters/*.yaml`, compiled and tried on their own samples.
  case filters
  /// `bailiff.yaml`.
  case settings
  /// fail2ban's filters: sections, interpolation, tags, Python's expressions.
  case fail2ban
  /// Bodies of requests to the control socket.
  case requests
  /// Derived literals and the scan for them against PCRE2 alone.
  case prefilter
  /// Lines of JSON, read for some fields.
  case json
  /// Lines of access logs.
  case combined
  /// Lines of logfmt.
  case logfmt
  /// Logs of columns, whose first line names them.
  case columns
  /// Logs in a server's own format string.
  case split

  public func run(_ input: [UInt8]) {
    switch self {
    case .lines: LinesFuzz.run(input)
    case .dates: DatesFuzz.run(input)
    case .addresses: AddressesFuzz.run(input)
    case .filters: FiltersFuzz.run(input)
    case .settings: SettingsFuzz.run(input)
    case .fail2ban: Fail2banFuzz.run(input)
    case .requests: RequestsFuzz.run(input)
    case .prefilter: PrefilterFuzz.run(input)
    case .json: FieldsFuzz.json(input)
    case .combined: FieldsFuzz.combined(input)
    case .logfmt: FieldsFuzz.logfmt(input)
    case .columns: FieldsFuzz.columns(input)
    case .split: FieldsFuzz.split(input)
    }
  }
}

/// As `precondition`, in every build; the message is what libFuzzer's report shows.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fatalError(message()) }
}
