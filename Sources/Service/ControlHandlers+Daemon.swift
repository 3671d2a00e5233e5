internal import API
internal import AuditLog
internal import Filters
internal import Geo
internal import Glibc
internal import Inspection
internal import LogSources
internal import Model
internal import Pipeline
internal import Settings
internal import System

extension ControlHandlers {
  /// The API's requests, carried out by a running daemon.
  init(_ daemon: Daemon, file: String, version: String, metrics: @escaping @Sendable () -> String) {
    self.init(
      status: { StatusReply(daemon, config: file, version: version) },
      bans: { request in
        try await mappingErrors {
          // While rules are missing, no ban holds, whatever was done with it.
          let isEnforcing = daemon.isEnforcing
          let origins = GeoLookup(daemon.settings.geo).databases()
          return try await daemon.bans(jail: request.jail).map { ban in
            var reply = BanReply(ban)
            reply.applied = reply.applied && isEnforcing
            reply.add(origins.facts(of: ban.identity))
            return reply
          }
        }
      },
      ban: { request, caller in
        try await mappingErrors {
          let (ban, confirmBy) = try await daemon.ban(
            request.identity, jail: request.jail, for: request.bantime.map { .seconds($0) }, force: request.force,
            confirm: request.confirm.map { .seconds($0) }, uid: caller.actingUID,
            command: caller.signed(request.command),
            session: caller.session)
          return BannedReply(ban: ban, confirmBy: confirmBy)
        }
      },
      unban: { request, caller in
        try await mappingErrors {
          let results = try await daemon.unban(
            request.all.map { Identity($0) }, jail: request.jail, isExact: request.exact ?? false,
            uid: caller.actingUID,
            command: caller.signed(request.command))
          return try UnbannedReply(results, request)
        }
      },
      unbanAll: { request, caller in
        try await mappingErrors {
          let lifted = try await daemon.unbanAll(
            jail: request.jail, uid: caller.actingUID, command: caller.signed(request.command))
          return UnbannedReply(id: nil, count: lifted.values.reduce(0, +), jails: lifted.keys.sorted())
        }
      },
      confirm: { request, caller in
        guard let ban = await daemon.confirm(request.identity, uid: caller.actingUID) else {
          throw RequestError(
            .rejected, "no ban of \(request.id) waits to be confirmed", remedy: "bailiff bans lists those in force")
        }
        return BannedReply(ban: ban)
      },
      reload: { request, caller in try await ReloadReply(daemon, request, from: caller) },
      reportFailure: { request, caller in
        try await FailureReply(daemon, request, from: caller.uid.map { "uid \($0) (\(caller))" } ?? "\(caller)")
      },
      note: { command, caller in daemon.note(caller.signed(command), uid: caller.actingUID) },
      loginFailed: { address in
        guard let jail = daemon.settings.api?.jail else { return }
        let failure = ReportedFailure(address: address, jail: jail, text: "a wrong token for the API")
        _ = try? await daemon.report(failure, from: "bailiff's API")
      },
      metrics: { metrics() })
    lists = ListHandlers(daemon)
  }
}

extension ReloadReply {
  /// Has the daemon read its settings again, or keep those that wait to be confirmed.
  init(_ daemon: Daemon, _ request: ReloadRequest, from caller: Operator) async throws {
    guard request.keep != true else {
      guard daemon.confirmReload(uid: caller.actingUID, command: caller.signed(request.command)) else {
        throw RequestError(.rejected, "no reload waits to be confirmed")
      }
      self.init(changes: [])
      return
    }
    guard request.preview != true else {
      let (changes, values) = try await mappingErrors { try daemon.previewReload() }
      self.init(changes: changes, values: values.map { SettingDifference($0) })
      return
    }
    var options = ReloadOptions(
      confirm: request.confirm.map { .seconds($0) }, force: request.force ?? false,
      session: caller.session.map { ($0, request.port.flatMap { UInt16(exactly: $0) }) })
    options.user = caller.user
    let (changes, warnings) = try await mappingErrors {
      try await daemon.reload(uid: caller.actingUID, options)
    }
    self.init(
      changes: changes, warnings: warnings, confirmBy: request.confirm == nil ? nil : daemon.confirmReloadBy)
  }
}

extension SettingDifference {
  init(_ difference: EffectiveSettings.Difference) {
    func value(_ entry: EffectiveSettings.Entry) -> Value {
      Value(value: entry.text, file: entry.place.file, line: entry.place.line)
    }
    self.init(
      key: difference.path.joined(separator: "."), before: difference.before.map(value),
      after: difference.after.map(value))
  }
}

extension FailureReply {
  /// Has the daemon count it. `sender` is for the audit.
  init(_ daemon: Daemon, _ request: FailureRequest, from sender: String) async throws {
    guard let address = Address(request.id) else { throw RequestError(.invalid, "`\(request.id)` is no address") }
    let failure = ReportedFailure(
      address: address, jail: request.jail, count: request.count ?? 1, user: request.user ?? "",
      text: request.text ?? "")
    let isBanned = try await mappingErrors { try await daemon.report(failure, from: sender) }
    self.init(jail: request.jail, id: address.description, banned: isBanned)
  }
}

extension UnbannedReply {
  /// - Throws: `RequestError` when nothing was lifted.
  fileprivate init(_ results: [Unbanned], _ request: UnbanRequest) throws {
    let lifted = results.flatMap(\.lifted)
    guard !lifted.isEmpty else {
      let place = request.jail.map { " in jail \($0)" } ?? ""
      let names = request.all.prefix(3).joined(separator: ", ") + (request.all.count > 3 ? " …" : "")
      let covering = results.flatMap(\.covering).first
      throw RequestError(
        .rejected, "\(names) \(request.all.count == 1 ? "is" : "are") not banned\(place)",
        remedy: covering.map {
          "\($0.identity) in jail \($0.jail) covers it: bailiff unban \($0.identity) lifts that"
        })
    }
    var ids: [String] = []
    var seen: Set<String> = []
    for ban in lifted where seen.insert(ban.identity.description).inserted { ids.append(ban.identity.description) }
    var covering: [Covering] = []
    for ban in results.flatMap(\.covering) {
      let block = Covering(id: ban.identity.description, jail: ban.jail)
      if !covering.contains(block) { covering.append(block) }
    }
    self.init(
      id: request.all.count == 1 ? request.all[0] : nil, count: lifted.count, jails: lifted.map(\.jail), ids: ids,
      notBanned: request.all.count == 1 ? [] : results.filter { $0.lifted.isEmpty }.map(\.id.description),
      covering: covering.isEmpty ? nil : covering)
  }
}

/// Turns what the daemon says no to into an answer that the client understands.
func mappingErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
  do {
    return try await body()
  } catch let error as DaemonError {
    throw RequestError(error.isUsage ? .invalid : .rejected, error.message, remedy: error.remedy)
  } catch let error as RequestError {
    throw error
  } catch let error as SettingsErrors {
    // A line each, as `check` has them.
    throw RequestError(.invalid, error.description)
  } catch {
    throw RequestError(.failed, "\(error)")
  }
}

extension StatusReply {
  init(_ daemon: Daemon, config: String, version: String) {
    let health = daemon.health
    let jails = daemon.jailReports
    let now = SystemClock.now()
    let inForce = jails.reduce(0) { $0 + $1.bansInForce }
    self.init(
      version: version, pid: getpid(), started: daemon.started,
      uptime: Double(now.since(daemon.started).microseconds) / 1_000_000, dryRun: !health.changesKernel, config: config,
      sources: daemon.sources.map(API.SourceStatus.init),
      jails: daemon.droppedJails.map { jail in
        JailStatus(name: jail.name, problem: jail.reason, failures: 0, tracked: 0, evicted: 0, bans: 0, bansEver: 0)
      }
        + jails.map { jail in
          JailStatus(
            name: jail.name, failures: UInt64(jail.failures), tracked: jail.tracked, evicted: UInt64(jail.evicted),
            bans: jail.bansInForce, bansEver: UInt64(jail.bansEver))
        },
      store: StoreStatus(
        path: health.storePath, problem: health.storeProblem, bytes: Self.size(health.storePath),
        failures: UInt64(health.committed), shed: UInt64(health.shed)),
      firewall: FirewallStatus(
        backend: health.backend, reason: health.backendReason, problem: health.firewallProblem, chains: health.chains,
        entries: inForce, repairs: UInt64(health.repairs)),
      consumers: daemon.consumers.map {
        ConsumerReply(
          name: $0.name, behind: $0.behind, behindSince: $0.behindSince, delivered: $0.delivered, missed: $0.missed,
          problem: $0.problem)
      },
      quarantined: daemon.stoppedPatterns.map { stopped in
        QuarantinedPattern(
          filter: stopped.pattern.filter, pattern: stopped.pattern.name,
          reason: "match limit", hits: UInt64(stopped.hits))
      },
      warnings: daemon.activeWarnings)
  }

  private static func size(_ path: String) -> UInt64 {
    [path, path + "-wal"].reduce(0) { $0 + ((try? FileStatus.of(path: $1))?.size ?? 0) }
  }
}

extension API.SourceStatus {
  init(_ report: SourceReport) {
    let problem: String? =
      switch report.status.state {
      case .reading, .ended: nil
      case .waiting(let reason), .failed(let reason): reason
      }
    let position: String? =
      switch report.status.position {
      case .file(_, let offset): "\(offset)"
      case .journal(let cursor): cursor
      case nil: nil
      }
    self.init(
      name: report.status.info.name, problem: problem, read: report.status.lines, matched: UInt64(report.matched),
      ignored: UInt64(report.ignored), unmatched: UInt64(report.unmatched), tooLong: report.status.tooLong,
      distrusted: UInt64(report.distrusted),
      position: position, lag: Double(report.status.lag),
      clockOffset: report.clockOffset.map { Double($0.seconds) }, jails: report.jails)
  }
}
