internal import AuditLog
internal import Glibc
internal import Inspection
public import Settings

/// What questions about the past and about settings are answered from.
public struct InspectionContext: Sendable {
  /// This program's, for reports.
  public var version: String
  /// The store's file.
  public var database: @Sendable () -> String
  /// Those in force.
  public var settings: @Sendable () -> Settings

  public init(
    version: String, database: @escaping @Sendable () -> String, settings: @escaping @Sendable () -> Settings
  ) {
    self.version = version
    self.database = database
    self.settings = settings
  }

  /// Opened for each question: the store may be replaced while the daemon runs.
  func audit() throws -> AuditInspection {
    AuditInspection(try AuditStore.readOnly(path: database()), geo: settings().geo)
  }
}
