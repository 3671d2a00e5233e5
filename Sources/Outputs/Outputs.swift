public import AuditLog
internal import Model
public import Settings
internal import Synchronization
internal import System

/// All outputs of the settings, as consumers of the audit log.
///
/// ```swift
/// let outputs = Outputs(version: "0.1.0") { notice in print(notice) }
/// let consumers = try outputs.consumers(settings)     // at the start and at each reload
/// print(outputs.status.map(\.messages))
/// ```
public final class Outputs: Sendable {
  private let version: String
  private let say: @Sendable (OutputNotice) -> Void
  /// By name; what was counted stays when the settings are read again.
  private let counters = Mutex<[(name: String, counters: OutputCounters)]>([])
  let host: String

  public init(version: String, say: @escaping @Sendable (OutputNotice) -> Void) {
    self.version = version
    self.say = say
    host = LocalHost.name
  }

  public func consumers(_ settings: Settings) -> [DecisionConsumer] {
    let enabled = settings.outputs.filter(\.enabled)
    let kept = counters.withLock { $0 }
    let current = enabled.map { output in
      let old = kept.first { $0.name == output.name && $0.counters.status.type == output.destination.type }
      let counters = old?.counters ?? OutputCounters(name: output.name, type: output.destination.type, say: say)
      return (name: output.name, counters: counters)
    }
    counters.withLock { $0 = current }
    let bans = BansInForce(settings)
    return zip(enabled, current).flatMap { consumers($0, $1.counters, bans) }
  }

  public var status: [OutputStatus] { counters.withLock { $0 }.map(\.counters.status) }

  /// Sends a message that says it is a test, and returns what came back.
  /// An edge is told the bans in force of `settings`, which is what it is there for.
  /// - Throws: `OutputTestFailure`
  public func test(_ output: OutputSettings, _ settings: Settings = Settings()) throws(OutputTestFailure) -> String {
    if case .edge(let edge) = output.destination {
      do { return try self.edge(edge).hold(BansInForce(settings).bans(of: output.jails)) } catch {
        throw OutputTestFailure(description: error.message)
      }
    }
    var row = AuditRow(kind: .ban, number: 0, time: SystemClock.now(), action: "ban")
    // An address that documentation is for (RFC 5737), and nobody has.
    (row.id, row.jail, row.count, row.banNumber, row.cause) = ("192.0.2.1", "test", 1, 1, "limit")
    row.until = row.time.adding(.minutes(10))
    var message = Message([Event(row)], of: output, host: host)
    message.isTest = true
    guard let destination = destination(output) else { return "" }
    do { return try destination.deliver(message) } catch { throw OutputTestFailure(description: error.message) }
  }

  /// Empties an edge's list, before the edge is taken out of the settings. Returns what was done; nil: it is no edge.
  /// - Throws: `OutputTestFailure`
  public func clear(_ output: OutputSettings) throws(OutputTestFailure) -> String? {
    guard case .edge(let edge) = output.destination else { return nil }
    do { return try self.edge(edge).hold([]) } catch { throw OutputTestFailure(description: error.message) }
  }

  // MARK: One output

  private func consumers(
    _ output: OutputSettings, _ counters: OutputCounters, _ bans: BansInForce
  ) -> [DecisionConsumer] {
    guard let destination = destination(output) else {
      guard case .edge(let settings) = output.destination else { return [] }
      let keeper = EdgeKeeper(settings, edge(settings), jails: output.jails, bans: bans, counters: counters)
      return [
        DecisionConsumer(name: "output \(output.name)", kinds: EdgeKeeper.kinds) { keeper.receive($0) }
      ]
    }
    guard let urgent = output.quiet?.except else { return [consumer(output, .all, destination, counters)] }
    return [
      consumer(output, .ordinary(below: urgent), destination, counters),
      consumer(output, .urgent(from: urgent), destination, counters),
    ]
  }

  private func consumer(
    _ output: OutputSettings, _ share: Deliverer.Share, _ destination: any Destination, _ counters: OutputCounters
  ) -> DecisionConsumer {
    // What a digest may hold; a page is 10 MB at most.
    let pageSize = output.digest == nil ? 1000 : 5000
    let deliverer = Deliverer(
      output, share, to: destination, counters: counters, pageSize: pageSize, host: host)
    var name = "output \(output.name)"
    if case .urgent = share { name += " (urgent)" }
    return DecisionConsumer(
      name: name, kinds: Set(output.kinds.map(\.rows)), isRequired: true, limit: pageSize
    ) { deliverer.receive($0) }
  }

  private func edge(_ settings: EdgeSettings) -> any Edge {
    switch settings.way {
    case .file(let path, let format, let reload): EdgeFile(path: path, format: format, reload: reload)
    case .haproxy(let socket, let acl): HAProxyEdge(socket: socket, acl: acl)
    case .cloudflare(let settings): CloudflareEdge(settings, host: host, version: version)
    }
  }

  /// Nil for an edge, which is told a state and not what happens.
  private func destination(_ output: OutputSettings) -> (any Destination)? {
    switch output.destination {
    case .edge: nil
    case .abuse(let settings):
      if let mail = settings.mail {
        XARFReport(settings, mail, version: version)
      } else {
        AbuseReport(settings, version: version)
      }
    case .webhook(let settings): Webhook(settings, version: version)
    case .mail(let settings): Mail(settings)
    case .program(let settings): ProgramOutput(settings: settings)
    case .file(let settings): FileOutput(settings: settings)
    case .syslog(let settings): Syslog(settings)
    }
  }
}

/// Why a test message did not arrive.
public struct OutputTestFailure: Error, CustomStringConvertible {
  public var description: String
}

extension OutputSettings.Kind {
  /// The rows among which its events are.
  fileprivate var rows: AuditRow.Kind {
    switch self {
    case .failure: .failure
    case .ban: .ban
    case .unban: .unban
    case .operator, .alert, .health: .operator
    }
  }
}
