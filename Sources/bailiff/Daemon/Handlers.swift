import API
import AuditLog
import Foundation
import LogSources
import Model
import Pipeline
import Settings
import System

extension ControlHandlers {
  /// The API's requests, carried out by a running daemon.
  init(_ daemon: Daemon, config: String) {
    self.init(
      status: { StatusReply(daemon, config: config) },
      bans: { request in try await mappingErrors { try await daemon.bans(jail: request.jail).map { BanReply($0) } } },
      ban: { request, caller in
        try await mappingErrors {
          let (ban, confirmBy) = try await daemon.ban(
            request.identity, jail: request.jail, for: request.bantime.map { .seconds($0) }, force: request.force,
            confirm: request.confirm.map { .seconds($0) }, uid: caller.uid, command: request.command,
            session: caller.session)
          return BannedReply(ban: ban, confirmBy: confirmBy)
        }
      },
      unban: { request, caller in
        try await mappingErrors {
          let lifted = try await daemon.unban(
            request.identity, jail: request.jail, uid: caller.uid, command: request.command)
          guard !lifted.isEmpty else {
            let place = request.jail.map { " in jail \($0)" } ?? ""
            throw ControlError(.rejected, "\(request.id) is not banned\(place)")
          }
          let ids = lifted.map(\.identity.description)
          return UnbannedReply(
            count: lifted.count, jails: lifted.map(\.jail),
            ids: ids.indices.filter { !ids[..<$0].contains(ids[$0]) }.map { ids[$0] })
        }
      },
      unbanAll: { request, caller in
        try await mappingErrors {
          let lifted = try await daemon.unbanAll(jail: request.jail, uid: caller.uid, command: request.command)
          return UnbannedReply(count: lifted.values.reduce(0, +), jails: lifted.keys.sorted())
        }
      },
      confirm: { request, caller in
        guard let ban = await daemon.confirm(request.identity, uid: caller.uid) else {
          throw ControlError(
            .rejected, "no ban of \(request.id) waits to be confirmed", remedy: "bailiff bans lists those in force")
        }
        return BannedReply(ban: ban)
      },
      reload: { caller in
        let (changes, warnings) = try await mappingErrors { try await daemon.reload(uid: caller.uid) }
        return ReloadReply(changes: changes, warnings: warnings)
      })
  }
}

/// Turns what the daemon says no to into an answer that the client understands.
private func mappingErrors<Result>(_ body: () async throws -> Result) async throws -> Result {
  do {
    return try await body()
  } catch let error as DaemonError {
    throw ControlError(error.isUsage ? .invalid : .rejected, error.message, remedy: error.remedy)
  } catch let error as ControlError {
    throw error
  } catch let error as SettingsErrors {
    // A line each, as `check` has them.
    throw ControlError(.invalid, error.description)
  } catch {
    throw ControlError(.failed, "\(error)")
  }
}

extension StatusReply {
  init(_ daemon: Daemon, config: String) {
    let health = daemon.health
    let jails = daemon.jailReports
    let now = SystemClock.now()
    let inForce = jails.reduce(0) { $0 + $1.bansInForce }
    self.init(
      version: Bailiff.version, pid: ProcessInfo.processInfo.processIdentifier, started: daemon.started,
      uptime: Double(now.since(daemon.started).microseconds) / 1_000_000, dryRun: !health.changesKernel, config: config,
      sources: daemon.sources.map(API.SourceStatus.init),
      jails: jails.map { jail in
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
      warnings: health.notices)
  }

  private static func size(_ path: String) -> UInt64 {
    [path, path + "-wal"].reduce(0) { total, file in
      let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? NSNumber
      return total + (size?.uint64Value ?? 0)
    }
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
      position: position, lag: Double(report.status.lag), jails: report.jails)
  }
}
