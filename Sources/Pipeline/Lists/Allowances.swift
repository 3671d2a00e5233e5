public import Model
internal import System

/// Who is allowed by a person (`bailiff allow`), in a file of the state directory: a line an id, with its end, who said so and
/// why.
final class Allowances: Sendable {
  private let path: String
  private let entries: Monitor<[Allowance]>

  /// Of nobody.
  init() {
    path = ""
    entries = Monitor([])
  }

  /// - Throws: when the file is there and cannot be read; one that is damaged is no reason to ban whom it allowed.
  init(path: String, at now: Instant) throws(SystemError) {
    self.path = path
    var entries: [Allowance] = []
    if (try? FileStatus.of(path: path)) != nil {
      let bytes = try SmallFile.read(path, limit: 16 << 20)
      entries = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Allowance(line: $0) }
    }
    self.entries = Monitor(entries.filter { $0.holds(at: now) })
  }

  func all(at now: Instant) -> [Allowance] { entries.withLock { $0.filter { $0.holds(at: now) } } }

  func list(at now: Instant) -> AddressList { AddressList(all(at: now).map(\.subnet)) }

  /// When the next one ends.
  func nextEnd(after now: Instant) -> Instant? { all(at: now).compactMap(\.until).min() }

  /// Replaces what was known of the same id.
  func add(_ allowance: Allowance, at now: Instant) throws(SystemError) {
    try change(at: now) { entries in
      entries.removeAll { $0.subnet == allowance.subnet }
      entries.append(allowance)
    }
  }

  /// False when it was not there.
  func remove(_ subnet: Subnet, at now: Instant) throws(SystemError) -> Bool {
    guard all(at: now).contains(where: { $0.subnet == subnet }) else { return false }
    try change(at: now) { $0.removeAll { $0.subnet == subnet } }
    return true
  }

  private func change(at now: Instant, _ body: (inout [Allowance]) -> Void) throws(SystemError) {
    var new = all(at: now)
    body(&new)
    let text = new.map { $0.line + "\n" }.joined()
    try SmallFile.replace(path, with: Array(text.utf8), mode: 0o600)
    entries.change { $0 = new }
  }
}

/// One id that a person has allowed.
public struct Allowance: Sendable, Equatable {
  public var subnet: Subnet
  /// Nil: until it is taken back.
  public var until: Instant?
  public var since: Instant
  public var uid: UInt32
  public var why: String

  public init(subnet: Subnet, until: Instant?, since: Instant, uid: UInt32, why: String) {
    self.subnet = subnet
    self.until = until
    self.since = since
    self.uid = uid
    self.why = why
  }

  func holds(at now: Instant) -> Bool { until.map { $0 > now } ?? true }

  /// Tab-separated; what a person wrote comes last, on its line.
  fileprivate var line: String {
    let end = until.map { "\($0.microseconds)" } ?? "-"
    return
      "\(subnet)\t\(end)\t\(since.microseconds)\t\(uid)\t\(why.map { $0.isNewline || $0 == "\t" ? " " : $0 }.map(String.init).joined())"
  }

  fileprivate init?(line: Substring) {
    let parts = line.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, let subnet = Subnet(parts[0]), let since = Int64(parts[2]), let uid = UInt32(parts[3])
    else {
      return nil
    }
    let end = Int64(parts[1])
    guard end != nil || parts[1] == "-" else { return nil }
    self.init(
      subnet: subnet, until: end.map { Instant(microseconds: $0) }, since: Instant(microseconds: since), uid: uid,
      why: String(parts[4]))
  }
}
