internal import API
internal import AuditLog
internal import Inspection
internal import Model
internal import Pipeline
internal import Reporting
internal import Settings
internal import System

extension ReportMaker {
  /// Reports of a running daemon, kept in its state directory and sent by its outputs.
  convenience init(_ daemon: Daemon, _ neighbours: Neighbours, file: String, version: String) {
    self.init(
      state: daemon.settings.state, settings: { daemon.settings.reports },
      make: { since, until, made in
        let settings = daemon.settings
        let status = StatusReply(daemon, config: file, version: version)
        return try Report(
          AuditInspection(AuditStore.readOnly(path: settings.database), geo: settings.geo), since: since, until: until,
          host: LocalHost.name, version: version, made: made, cost: ReportCost.rows(status),
          posture: PostureReply(
            settings, daemon: .init(isDryRun: status.dryRun, warnings: status.warnings), at: made))
      },
      send: { try neighbours.send($0, daemon.settings) })
  }
}
