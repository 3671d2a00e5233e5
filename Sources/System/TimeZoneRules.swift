internal import CLinux
internal import Glibc
public import Model

/// When a zone's clocks are how far ahead of UTC: a file of the tz database (TZif, RFC 8536), a rule in the form of `TZ`
/// (tzset(3)), or a fixed offset.
///
/// Read by ourselves because the C library knows one zone a process, and full Foundation brings 40 MB of other data with it.
///
/// ```swift
/// TimeZoneRules(name: "Europe/Berlin")?.offset(at: now)   // 3600 or 7200
/// ```
public struct TimeZoneRules: Sendable, Equatable {
  /// What holds from a moment on.
  struct Kind: Sendable, Equatable {
    /// Seconds east of UTC.
    var offset: Int
    var abbreviation: String
  }

  /// Seconds since 1970 at which `kinds` begin, in order; before the first one holds `initial`.
  var transitions: [Int64] = []
  var kinds: [Kind] = []
  var initial: Kind
  /// What holds after the last transition; nil: the last kind.
  var rule: PosixTimeZone?

  public static let utc = TimeZoneRules(initial: Kind(offset: 0, abbreviation: "UTC"))

  /// This machine's zone: `TZ`, else /etc/localtime, else UTC (tzset(3)). Read once.
  public static let local: TimeZoneRules = {
    // Safe: getenv(3) returns text that is copied at once; nothing in this program sets variables.
    guard let set = unsafe getenv("TZ") else { return TimeZoneRules(path: "/etc/localtime") ?? .utc }
    let name = unsafe String(cString: set)
    let path = name.hasPrefix(":") ? String(name.dropFirst()) : name
    if path.hasPrefix("/") { return TimeZoneRules(path: path) ?? .utc }
    return TimeZoneRules(name: path) ?? PosixTimeZone(name).map { TimeZoneRules($0) } ?? .utc
  }()

  init(initial: Kind) { self.initial = initial }

  init(_ rule: PosixTimeZone) {
    self.init(initial: Kind(offset: rule.standard.offset, abbreviation: rule.standard.abbreviation))
    self.rule = rule
  }

  /// `Europe/Berlin` of the tz database; `UTC`, `GMT` or `Z`, alone or followed by an offset (`UTC+0200`); an offset (`+02:00`).
  /// Nil for what is none of these.
  public init?(name: String) {
    if let offset = Self.fixedOffset(name) {
      self.init(initial: Kind(offset: offset, abbreviation: offset == 0 ? "UTC" : name))
      return
    }
    // A name must not lead out of the directory.
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else { return nil }
    self.init(path: "/usr/share/zoneinfo/\(name)")
  }

  /// The tz database's largest file has 4 KB.
  init?(path: String) {
    guard let bytes = try? SmallFile.read(path, limit: 1 << 18) else { return nil }
    self.init(tzif: bytes)
  }

  /// Seconds east of UTC of `UTC`, `GMT+2`, `UTC-0330`, `Z`, `+02:00`; nil for what is no fixed offset.
  static func fixedOffset(_ name: String) -> Int? {
    var rest = name[...]
    for prefix in ["UTC", "GMT", "Z"] where rest.hasPrefix(prefix) {
      rest = rest.dropFirst(prefix.count)
      break
    }
    if rest.isEmpty { return name.isEmpty ? nil : 0 }
    guard rest.hasPrefix("+") || rest.hasPrefix("-") else { return nil }
    let digits = rest.dropFirst().filter { $0 != ":" }
    guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(digits) else { return nil }
    let minutes: Int
    switch digits.count {
    case 1, 2: minutes = number * 60
    case 4 where number % 100 < 60: minutes = number / 100 * 60 + number % 100
    default: return nil
    }
    guard minutes <= 15 * 60 + 59 else { return nil }
    return minutes * (rest.hasPrefix("-") ? -60 : 60)
  }

  /// Seconds east of UTC.
  public func offset(at instant: Instant) -> Int { kind(at: instant.seconds).offset }

  /// `CET`
  public func abbreviation(at instant: Instant) -> String { kind(at: instant.seconds).abbreviation }

  private func kind(at time: Int64) -> Kind {
    guard let first = transitions.first, time >= first else {
      return transitions.isEmpty ? rule?.kind(at: time) ?? initial : initial
    }
    if let rule, time >= transitions[transitions.count - 1] { return rule.kind(at: time) }
    // The last transition that is not after `time`.
    var low = 0
    var high = transitions.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if transitions[middle] <= time { low = middle } else { high = middle }
    }
    return kinds[low]
  }
}

// MARK: TZif

extension TimeZoneRules {
  /// RFC 8536 section 3. Version 1, with 32-bit times, is read where there is no other.
  init?(tzif bytes: [UInt8]) {
    guard let first = Header(bytes, at: 0) else { return nil }
    if first.version == 0 {
      self.init(first, bytes, timeSize: 4)
      return
    }
    guard let second = Header(bytes, at: first.end(timeSize: 4)) else { return nil }
    self.init(second, bytes, timeSize: 8)
    // The rule for what comes after the last transition, between two line ends (section 3.3).
    let footer = second.end(timeSize: 8)
    guard footer < bytes.count, bytes[footer] == 10 else { return }
    rule = PosixTimeZone(String(decoding: bytes[(footer + 1)...].prefix { $0 != 10 }, as: UTF8.self))
  }

  private struct Header {
    var version: UInt8
    var start: Int
    var isUTC, isStandard, leaps, times, types, characters: Int

    init?(_ bytes: [UInt8], at start: Int) {
      guard bytes.count >= start + 44, bytes[start..<start + 4].elementsEqual("TZif".utf8) else { return nil }
      func count(_ index: Int) -> Int { Int(TimeZoneRules.number(bytes, at: start + 20 + index * 4, size: 4)) }
      version = bytes[start + 4]
      self.start = start
      (isUTC, isStandard, leaps, times, types, characters) = (
        count(0), count(1), count(2), count(3), count(4), count(5)
      )
      guard [isUTC, isStandard, leaps, times, types, characters].allSatisfy({ (0...65_536).contains($0) }), types > 0,
        end(timeSize: version == 0 || start == 0 ? 4 : 8) <= bytes.count
      else { return nil }
    }

    func end(timeSize: Int) -> Int {
      start + 44 + times * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + isStandard + isUTC
    }
  }

  private init?(_ header: Header, _ bytes: [UInt8], timeSize: Int) {
    let times = header.start + 44
    let indexes = times + header.times * timeSize
    let types = indexes + header.times
    let names = types + header.types * 6
    func kind(_ number: Int) -> Kind? {
      guard number < header.types else { return nil }
      let at = types + number * 6
      let name = names + Int(bytes[at + 5])
      guard name < names + header.characters else { return nil }
      return Kind(
        offset: Int(Self.number(bytes, at: at, size: 4)),
        abbreviation: String(decoding: bytes[name..<names + header.characters].prefix { $0 != 0 }, as: UTF8.self))
    }
    guard let initial = kind(0) else { return nil }
    self.init(initial: initial)
    for i in 0..<header.times {
      guard let next = kind(Int(bytes[indexes + i])) else { return nil }
      transitions.append(Self.number(bytes, at: times + i * timeSize, size: timeSize))
      kinds.append(next)
    }
    guard zip(transitions, transitions.dropFirst()).allSatisfy(<) else { return nil }
  }

  /// A signed number, the most significant byte first.
  private static func number(_ bytes: [UInt8], at start: Int, size: Int) -> Int64 {
    let unsigned = bytes[start..<start + size].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return size == 4 ? Int64(Int32(truncatingIfNeeded: unsigned)) : Int64(bitPattern: unsigned)
  }
}
