internal import Filters
public import Settings

/// One thing that is wrong, or worth knowing, about the settings.
public struct CheckReply: Hashable, Sendable, Codable {
  public enum Severity: String, Sendable, Codable, CaseIterable { case error, warning }

  public var severity: Severity
  public var file: String
  /// Line and column count from 1; 0 when the whole file is meant.
  public var line: Int
  public var column: Int
  public var message: String
  public var remedy: String
  /// The jail that cannot run because of it.
  public var jail: String?

  public init(_ problem: SettingsError, _ severity: Severity) {
    self.severity = severity
    file = problem.place.file
    line = problem.place.line
    column = problem.place.column
    message = problem.message
    remedy = problem.remedy
    jail = problem.jail
  }
}
