public import AuditLog
public import Settings
internal import Synchronization
internal import System

/// A server's part in its fleet: what it tells (`Outbox`), what it hears (`Follower`), and, if it is told to, what it decides for all
/// (`Aggregator`).
///
/// ```swift
/// let member = try FleetMember(settings, report: { log.warning($0) })
/// daemon.start(consumers: member.consumers)
/// member.start { word in await daemon.obey(word) }
/// ```
public final class FleetMember: Sendable {
  private let outbox: Outbox
  private let connection: FleetConnection
  private let fleet: FleetSettings
  private let directory: String
  private let report: @Sendable (String) -> Void
  private let aggregator: Aggregator?
  private let follower = Mutex<Follower?>(nil)
  private let threads = Mutex<[ServiceThread]>([])

  /// Nil where the settings know of no fleet.
  /// - Throws: what is wrong with the settings. That no server answers is not.
  public init?(_ settings: Settings, report: @escaping @Sendable (String) -> Void) throws {
    guard let fleet = settings.fleet else { return nil }
    self.fleet = fleet
    self.report = report
    directory = settings.state
    connection = FleetConnection(fleet, role: "server")
    outbox = try Outbox(
      fleet, jails: settings.jails.filter { $0.enabled && $0.scope == .fleet }, directory: directory,
      connection: connection)
    aggregator =
      fleet.aggregates
      ? try Aggregator(
        settings, fleet, connection: FleetConnection(fleet, role: "aggregator"), directory: directory, report: report)
      : nil
  }

  public var consumers: [DecisionConsumer] { outbox.consumers }

  /// Begins to hear, and to decide.
  /// - Parameter act: carries out what the fleet says; returns when that is done.
  public func start(_ act: @escaping @Sendable (FleetWord) async -> Void) {
    let made = Follower(fleet, connection: connection, directory: directory, report: report, act: act)
    follower.withLock { $0 = made }
    threads.withLock { threads in
      threads.append(ServiceThread("bailiff-fleet") { made.run() })
      if let aggregator { threads.append(ServiceThread("bailiff-aggr") { aggregator.run() }) }
    }
  }

  /// Waits for what it is doing.
  public func stop() {
    follower.withLock { $0 }?.stop()
    aggregator?.stop()
    for thread in threads.withLock({ threads in
      defer { threads = [] }
      return threads
    }) { thread.join() }
  }

  public var status: FleetStatus {
    FleetStatus(
      name: fleet.name, site: fleet.site, told: outbox.counters,
      heard: follower.withLock { $0 }?.counters ?? FollowerCounters(), aggregator: aggregator?.counters)
  }
}

/// How a server's part in its fleet goes.
public struct FleetStatus: Sendable, Equatable {
  public var name: String
  public var site: String
  public var told: OutboxCounters
  public var heard: FollowerCounters
  public var aggregator: AggregatorCounters?
}
