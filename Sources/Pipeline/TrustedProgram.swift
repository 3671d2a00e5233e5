internal import Filters
public import LogSources
internal import Settings

/// Which program wrote a journal entry, and for which jails. SYSLOG_IDENTIFIER is what a process calls itself, which any user
/// may set (`logger -t sshd`), and _COMM too (prctl(2)); in a user namespace of his own, a user chooses _EXE as well. So an
/// identifier is believed of root's processes, and of others only where journald vouches for their unit and the jail asks
/// for that unit.
public struct TrustedProgram {
  /// Units whose processes are believed, unless they are an ordinary user's.
  private let units: Set<[UInt8]>
  /// Users whom jails name: `_SYSTEMD_UNIT=forge.service _UID=1001`.
  private let users: Set<Int>
  /// Do the jails say themselves whose entries they want: a container's, of which the identifier tells nothing?
  private let hasOrigin: Bool

  private static let root = 0
  /// Ordinary users' ids begin here (login.defs(5), UID_MIN). What they run may be in a system's unit: cron's, or sshd's where
  /// there is no logind.
  private static let firstUser = 1000
  /// Who nobody is; daemons that drop their rights run as it.
  private static let nobody = 65_534

  /// - Parameter jails: that use one filter on one source.
  init(_ jails: [JailSettings]) {
    let own = jails.flatMap(\.journalmatch) + jails.flatMap { $0.definition?.journalmatch ?? [] }
    let terms = own.flatMap(Self.terms)
    units = Set(terms.filter { $0.hasPrefix("_SYSTEMD_UNIT=") }.map { Array($0.dropFirst(14).utf8) })
    users = Set(terms.filter { $0.hasPrefix("_UID=") }.compactMap { Int($0.dropFirst(5)) })
    hasOrigin = !jails.isEmpty && jails.allSatisfy(Self.namesAnOrigin)
  }

  /// For who reads a journal with filters and no jails.
  /// - Parameter journalmatch: the filters'.
  public init(journalmatch: [String]) {
    let terms = journalmatch.flatMap(Self.terms)
    units = Set(terms.filter { $0.hasPrefix("_SYSTEMD_UNIT=") }.map { Array($0.dropFirst(14).utf8) })
    users = Set(terms.filter { $0.hasPrefix("_UID=") }.compactMap { Int($0.dropFirst(5)) })
    hasOrigin = false
  }

  /// Appends the program's name; nothing where the entry has none that is believed. False when it does not matter.
  func name(of entry: JournalEntry, into name: inout [UInt8]) -> Bool {
    guard isBelieved(entry) else { return true }
    if hasOrigin { return false }
    if !Self.append(.identifier, of: entry, to: &name) { Self.append(.comm, of: entry, to: &name) }
    return true
  }

  private func isBelieved(_ entry: JournalEntry) -> Bool {
    // The kernel has no user.
    guard let uid = entry.with(.uid, { Self.number($0) }) ?? nil, uid != Self.root, !users.contains(uid) else {
      return true
    }
    guard !units.isEmpty, uid < Self.firstUser || uid == Self.nobody else { return false }
    return entry.with(.unit) { unit in
      // Safe: the pointer is used only inside the closure.
      unsafe unit.withUnsafeBufferPointer { unsafe units.contains(Array($0)) }
    } ?? false
  }

  /// What precedes the message when the entry is written as a line of a log: `HOST IDENT[PID]: `.
  public func header(of entry: JournalEntry, into line: inout [UInt8]) {
    if !Self.append(.hostname, of: entry, to: &line) { Self.append("localhost", to: &line) }
    line.append(UInt8(ascii: " "))
    let start = line.count
    if isBelieved(entry), !Self.append(.identifier, of: entry, to: &line) { Self.append(.comm, of: entry, to: &line) }
    if line.count == start { Self.append("unknown", to: &line) }
    let end = line.count
    line.append(UInt8(ascii: "["))
    if Self.append(.syslogPID, of: entry, to: &line) || Self.append(.pid, of: entry, to: &line) {
      line.append(UInt8(ascii: "]"))
    } else {
      line.removeSubrange(end...)
    }
    Self.append(": ", to: &line)
  }

  // MARK: What a jail asks for

  private static func terms(_ match: String) -> [Substring] { match.split(separator: " ") }

  private static func namesAnOrigin(_ jail: JailSettings) -> Bool {
    if !jail.containers.isEmpty { return true }
    guard !jail.journalmatch.isEmpty, jail.journalmatch != jail.definition?.journalmatch else { return false }
    return jail.journalmatch.flatMap { terms($0).split(separator: "+") }.allSatisfy { $0.contains(where: isOrigin) }
  }

  /// Does a term say whose entries are wanted, and not only how they came?
  private static func isOrigin(_ term: Substring) -> Bool {
    ["CONTAINER_NAME=", "CONTAINER_ID=", "CONTAINER_ID_FULL=", "CONTAINER_TAG=", "IMAGE_NAME=", "_SYSTEMD_UNIT="]
      .contains { term.hasPrefix($0) }
  }

  // MARK: Fields

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
