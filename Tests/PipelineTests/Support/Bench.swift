import AuditLog
import Fail2banImport
import Firewall
import Foundation
import Model
import Settings
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

/// A directory with settings, logs and a store, and daemons on it; it goes when the test is over.
final class Bench: Sendable {
  private let directory: TestDirectory
  var path: String { directory.path }
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
    .path(percentEncoded: false)

  init() throws {
    directory = try TestDirectory("pipeline")
  }

  var log: String { path + "/auth.log" }
  var database: String { path + "/state/bailiff.db" }
  private var config: String { path + "/bailiff.yaml" }

  /// Writes the settings; `jails` are their lines under `jails:`.
  func configure(_ jails: String, general: String = "") throws {
    let text = """
      state: \(path)/state
      socket: \(path)/s
      filters: [\(path)/filters, \(Bench.root)/filters]
      ignoreself: false
      \(general)
      jails:
      \(jails.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))

      """
    try text.write(toFile: config, atomically: true, encoding: .utf8)
  }

  /// The usual jail.
  func configure(maxretry: Int = 3, bantime: String = "1d", findtime: String = "1h", general: String = "") throws {
    try configure(
      "sshd: {filter: sshd, logpath: [\(log)], port: [ssh], maxretry: \(maxretry), findtime: \(findtime), bantime: \(bantime)}",
      general: general)
  }

  func settings() throws -> Settings {
    try Settings.load(path: config) { path, options in try FilterTranslation.loadFilter(path: path, options: options) }
  }

  func daemon(_ firewall: any Actuator = DryRunActuator(), start: Daemon.LogStart = .beginning) throws -> Daemon {
    try Daemon(
      settings(), firewall: firewall, log: RunLog(isQuiet: true), start: start,
      load: { [self] in Settings.Reading(settings: try settings()) })
  }

  func append(_ lines: [String], to file: String? = nil) throws {
    try TestDirectory.append(lines.map { $0 + "\n" }.joined(), to: file ?? log)
  }

  func rows(_ kinds: AuditRow.Kind...) throws -> [AuditRow] {
    let reader = try AuditStore.readOnly(path: database)
    var filter = AuditFilter()
    filter.kinds = Set(kinds)
    var rows: [AuditRow] = []
    try reader.forEach(filter) { row in
      rows.append(row)
      return true
    }
    return rows
  }

  /// A failed login, now.
  static func failure(_ address: String, user: String, port: Int = 4711) -> String {
    "\(SystemClock.now().rfc3339()) web sshd[812]: Failed password for invalid user \(user) from \(address) port \(port) ssh2"
  }
}

/// Ends a daemon on a thread of its own, since that waits.
func stop(_ daemon: Daemon) async {
  await withCheckedContinuation { done in
    Thread.detachNewThread {
      daemon.stop()
      done.resume()
    }
  }
}
