public import Filters
internal import JSON
public import Matching
public import Model
public import Settings
internal import System

/// Does a filter's sample behave as it says?
public struct SampleCheck: Sendable {
  public var sample: Sample
  public var result: LineResult
  /// What differs, a line each; empty: it behaves.
  public var differences: [String]

  /// Every sample starts afresh, with the line before it where it names one.
  public init(_ sample: Sample, _ filter: Filter, clock: LogClock) throws(RequestError) {
    self.sample = sample
    let tester = try LineTester(filter, clock: clock, hasTimestamps: true)
    var batch = LineBatch()
    if let before = sample.before { batch.append(Array(before.utf8).span) }
    batch.append(Array(sample.line.utf8).span)
    result = tester.test(batch).last ?? LineResult(verdict: .none)
    differences = []
    compare()
  }

  private mutating func compare() {
    guard let expect = sample.expect else {
      if let failure = result.failures.first ?? result.activities.first?.found {
        differences.append("expected none, got \(Self.describe(failure))")
      }
      return
    }
    let event = expect["activity"] == nil ? nil : result.activities.first?.event
    guard let failure = expect["activity"] == nil ? result.failures.first : result.activities.first?.found else {
      let wanted = expect["pattern"].map { "pattern \($0)" } ?? "a failure"
      differences.append("expected \(wanted), got \(result.verdict.rawValue)")
      return
    }
    for (key, wanted) in expect.sorted(by: { $0.key < $1.key }) {
      let got = key == "activity" ? event?.rawValue : Self.value(of: key, in: failure)
      if got != wanted, !Self.isSameAddress(key, got, wanted) {
        differences.append("expected \(key) `\(wanted)`, got \(got.map { "`\($0)`" } ?? "none")")
      }
    }
  }

  private static func value(of key: String, in failure: FoundFailure) -> String? {
    switch key {
    case "pattern": failure.pattern
    case "host": failure.host
    case "user": failure.user
    case "count": "\(failure.attempts)"
    case "weight": "\(failure.weight)"
    default: failure.captures.first { $0.name == key }?.value
    }
  }

  /// `::ffff:192.0.2.7` and `192.0.2.7` are one host.
  private static func isSameAddress(_ key: String, _ got: String?, _ wanted: String) -> Bool {
    guard key == "host", let got, let ours = Address(got), let theirs = Address(wanted) else { return false }
    return ours == theirs
  }

  private static func describe(_ failure: FoundFailure) -> String {
    "pattern \(failure.pattern), host \(failure.host)" + (failure.user.map { ", user `\($0)`" } ?? "")
  }

  /// For people: where, what, and the line itself.
  public var complaint: SettingsError? {
    guard !differences.isEmpty else { return nil }
    return SettingsError(
      sample.place, "the sample does not behave: \(differences.joined(separator: "; "))",
      remedy: "line: \(printable(sample.line))")
  }
}

extension SampleCheck: Encodable {
  private enum CodingKeys: CodingKey { case line, ok, expected, result, failures, activities, differences }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(sample.line, forKey: .line)
    try members.encode(differences.isEmpty, forKey: .ok)
    try members.encode(sample.expect.map { RawMembers($0) }, forKey: .expected)
    try members.encode(result.verdict, forKey: .result)
    try members.encode(result.failures, forKey: .failures)
    if !result.activities.isEmpty { try members.encode(result.activities, forKey: .activities) }
    try members.encode(differences, forKey: .differences)
  }
}
