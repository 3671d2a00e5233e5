public import LogSources

/// Which program wrote a journal entry. SYSLOG_IDENTIFIER is what it calls itself, which any user may set (`logger -t
/// sshd`), so it is believed only of processes that the system runs.
public enum TrustedProgram {
  /// Ordinary users' ids begin here (login.defs(5), UID_MIN).
  private static let firstUser = 1000
  /// Who nobody is; daemons that drop their rights run as it.
  private static let nobody = 65_534

  /// Appends its name; nothing where the entry has none that is believed.
  static func name(of entry: JournalEntry, into name: inout [UInt8]) {
    let uid = entry.with(.uid) { number($0) } ?? nil
    if uid.map({ $0 >= firstUser && $0 != nobody }) ?? false {
      append(.comm, of: entry, to: &name)
    } else if !append(.identifier, of: entry, to: &name) {
      append(.comm, of: entry, to: &name)
    }
  }

  /// What precedes the message when the entry is written as a line of a log: `HOST IDENT[PID]: `.
  public static func header(of entry: JournalEntry, into line: inout [UInt8]) {
    if !append(.hostname, of: entry, to: &line) { append("localhost", to: &line) }
    line.append(UInt8(ascii: " "))
    name(of: entry, into: &line)
    let end = line.count
    line.append(UInt8(ascii: "["))
    if append(.syslogPID, of: entry, to: &line) || append(.pid, of: entry, to: &line) {
      line.append(UInt8(ascii: "]"))
    } else {
      line.removeSubrange(end...)
    }
    append(": ", to: &line)
  }

  /// False when the entry has no such field.
  @discardableResult
  private static func append(_ field: JournalEntry.Field, of entry: JournalEntry, to bytes: inout [UInt8]) -> Bool {
    // Safe: the pointer is used only inside the closure.
    entry.with(field) { value in unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) } } != nil
  }

  private static func append(_ text: StaticString, to bytes: inout [UInt8]) {
    // Safe: a literal's bytes are still permanently.
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A user id; nil for what is none.
  private static func number(_ text: borrowing Span<UInt8>) -> Int? {
    guard text.count > 0, text.count <= 10 else { return nil }
    var value = 0
    for i in text.indices {
      guard text[i] >= 48, text[i] <= 57 else { return nil }
      value = value * 10 + Int(text[i] - 48)
    }
    return value
  }
}
