import API
import Firewall
import Maintenance
import Model
import Settings
import System

/// `bailiff setup --go-live`, once it is known what is wanted.
struct GoLive {
  struct Change {
    var path: [String]
    /// As YAML.
    var value: String
  }

  let config: ConfigOptions
  let settings: Settings
  /// What restarts a daemon that systemd does not run.
  let restart: String?

  /// What is to be set; nothing for what is set already.
  func changes(_ answers: Answers) -> [Change] {
    var changes: [Change] = []
    if settings.firewall.backend.rawValue != answers.firewall {
      changes.append(Change(path: ["firewall", "backend"], value: answers.firewall))
    }
    let present = settings.ignoreip.map(Self.text)
    let new = answers.ignore.map(Self.text).filter { !present.contains($0) }
    if !new.isEmpty {
      let list = (present + new).map { "\"\($0)\"" }.joined(separator: ", ")
      changes.append(Change(path: ["ignoreip"], value: "[\(list)]"))
    }
    for service in answers.services where !settings.jails.contains(where: { $0.name == service }) {
      changes.append(Change(path: ["jails", service], value: "{filter: \(service)}"))
    }
    return changes
  }

  func run(_ answers: Answers, _ changes: [Change], _ undo: LockoutUndo) throws {
    let client = try config.client(deadline: 60)
    // Before anything is changed: without a daemon nobody would see whether it works.
    let status = try client.status()
    let supervisor = Supervisor(command: restart, daemon: status)
    let mustRestart = Self.mustRestart(status, answers.firewall)
    guard supervisor != nil || !mustRestart else {
      throw RequestError(
        .rejected, "a daemon that runs dry is to be restarted, and systemd does not run it",
        remedy: "say how with --restart 'rc-service bailiff restart'; nothing was changed")
    }
    var output = Output()
    defer { output.flush() }
    if let confirm = answers.confirm {
      guard !undo.isWaiting else {
        throw RequestError(
          .rejected, "an earlier --go-live waits to be kept",
          remedy: "run bailiff setup --keep, or wait until it is undone")
      }
      try undo.prepare(version: Bailiff.version, now: SystemClock.now())
      try undo.schedule(
        config: config.path, restart: restart, seconds: confirm.seconds, isSystemd: supervisor?.isSystemd == true)
    }
    for change in changes {
      let set = try SettingsChange(setting: change.path, to: change.value, in: config.path) {
        config.read(replacing: $0)
      }
      guard let set else { continue }
      try set.write()
      for line in set.difference { output.line(printable(line)) }
    }
    if let supervisor, mustRestart {
      try supervisor.restart(config, instead: status.pid)
    } else {
      for warning in try client.reload().warnings { output.line(printable("note: \(warning)")) }
    }
    output.flush()
    try takeOver(answers, client)
    output.line("bailiff bans from now on, through \(printable(try client.status().firewall.backend))")
    if let confirm = answers.confirm {
      output.line(
        "everything is undone in \(confirm.brief), unless you open a NEW connection and run: bailiff setup --keep")
    }
  }

  private func takeOver(_ answers: Answers, _ client: ControlClient) throws {
    guard answers.fail2ban != .leave else { return }
    var takeover = ImportBans(database: answers.database, client: client)
    try takeover.run(check: false)
    guard answers.fail2ban == .takeOver else { return }
    guard (try? FileStatus.of(path: "/run/systemd/system")) != nil, let systemctl = Program.find("systemctl") else {
      Diagnostics.write("fail2ban still runs; stop it, and keep it from starting again\n")
      return
    }
    let stopped = try Program(path: systemctl, arguments: ["disable", "--now", "fail2ban.service"]).run(deadline: 60)
    if stopped.status != 0 { Diagnostics.write(printable("fail2ban was not stopped: \(stopped.errors)") + "\n") }
  }

  /// Lifts every ban, and puts the settings back, where nobody has kept what was done.
  /// - Parameter stamp: of the go-live that is meant; nil: the one that waits.
  func undo(_ undo: LockoutUndo, of stamp: Int?) throws {
    guard undo.isWaiting, stamp == nil || stamp == undo.stamp else { return }
    let client = try config.client(deadline: 60)
    // First of all: whoever is locked out gets in, whatever comes of the rest.
    _ = try? client.unbanAll(UnbanAllRequest())
    let status = try client.status()
    let files = try undo.putBack(now: SystemClock.now())
    let before = try config.settings().firewall.backend
    if Self.mustRestart(status, before.rawValue), let supervisor = Supervisor(command: restart, daemon: status) {
      try supervisor.restart(config, instead: status.pid)
    } else {
      _ = try client.reload()
    }
    // Bans that fell meanwhile; a dry run leaves the kernel alone.
    _ = try client.unbanAll(UnbanAllRequest())
    if before == .dryRun { try FirewallBackend.clearAll() }
    var output = Output()
    output.line(printable("undone: \(files.joined(separator: ", "))"))
    output.flush()
  }

  private static func text(_ entry: IgnoreEntry) -> String {
    switch entry {
    case .subnet(let subnet): subnet.description
    case .name(let name): name
    case .file(let path): "file:\(path)"
    }
  }

  /// What a dry run decided is never enforced, so a reload goes neither into one nor out of one.
  private static func mustRestart(_ status: StatusReply, _ backend: String) -> Bool {
    status.dryRun != (backend == FirewallSettings.Backend.dryRun.rawValue)
  }
}
