import Model
import Synchronization
import System

/// Ends the connections that the banned have open: a drop alone leaves the server's program waiting for a peer that will
/// never answer, and a ban that ends soon would only pause the client.
///
/// Connections of this machine's programs are ended by their sockets, those of containers by their entries in conntrack. It
/// works on a thread of its own, in the network namespace of the thread that makes it: who decides does not wait, and bans
/// that fall at once are looked up at once.
final class ConnectionCloser: Sendable {
  typealias Ban = (target: FirewallTarget, subnet: Subnet)

  private struct State: Sendable {
    var waiting: [Ban] = []
    var isBusy = false
    var stopped = false
  }

  /// Up to as many bans the kernel is asked for each one's connections; for more, once for all.
  private static let singly = 8

  private let state = Monitor(State())
  private let thread = Mutex<ServiceThread?>(nil)

  init() {}

  /// Those of `changes` that are bans in force now.
  static func bans(
    _ changes: [FirewallChange], _ outcomes: [ChangeOutcome], target: (String) -> FirewallTarget?
  ) -> [Ban] {
    zip(changes, outcomes).compactMap { change, outcome in
      guard change.action == .add, outcome == .applied, let target = target(change.jail), target.verdict != .pass
      else { return nil }
      return (target, change.subnet)
    }
  }

  /// Takes note of bans that the firewall holds from now on.
  func add(_ bans: [Ban]) {
    guard !bans.isEmpty else { return }
    thread.withLock { thread in
      if thread == nil { thread = ServiceThread("bailiff-close") { [state] in Self.run(state) } }
    }
    state.change { $0.waiting += bans }
  }

  /// Waits until the connections of all bans so far were looked for.
  func finish() { _ = state.wait { $0.waiting.isEmpty && !$0.isBusy ? true : nil } }

  deinit { state.change { $0.stopped = true } }

  private static func run(_ state: Monitor<State>) {
    while true {
      let bans = state.wait { state -> [Ban]? in
        if state.stopped { return [] }
        guard !state.waiting.isEmpty else { return nil }
        defer {
          state.waiting = []
          state.isBusy = true
        }
        return state.waiting
      }
      guard let bans, !bans.isEmpty else { return }
      // What fails here leaves a connection open whose packets are refused all the same.
      try? close(bans)
      state.change { $0.isBusy = false }
    }
  }

  private static func close(_ bans: [Ban]) throws(FirewallError) {
    let index = BanIndex(bans)
    let questions = index.subnets.count <= singly ? index.subnets.map { $0 } : [nil]
    // Sockets first: their resets find the way back through conntrack.
    var tracked: [ConntrackTable.Entry] = []
    if ConntrackTable.count > 0 {
      var table = try ConntrackTable()
      for subnet in questions {
        tracked += try table.entries(from: subnet).filter {
          index.covers($0.client, port: $0.port, transport: $0.transport)
        }
      }
    }
    var sockets = try SocketDiagnosis()
    // A redirected connection's socket has another port than the client knows.
    let redirected = tracked.filter { $0.port != $0.answeringPort }
    for subnet in questions {
      for connection in try sockets.connections(with: subnet) {
        let isBanned =
          index.covers(
            connection.peer, port: connection.localPort, transport: FirewallTarget.TransportProtocol.tcp.number)
          || redirected.contains {
            $0.client == connection.peer && $0.clientPort == connection.peerPort
              && $0.answeringPort == connection.localPort
          }
        if isBanned { _ = try sockets.end(connection) }
      }
    }
    guard !tracked.isEmpty else { return }
    var table = try ConntrackTable()
    for entry in tracked { _ = try table.delete(entry) }
  }
}

/// Finds the bans that an address is in, by the prefix lengths in use.
private struct BanIndex {
  private var targets: [Subnet: [FirewallTarget]] = [:]
  private var lengths: Set<UInt8> = []

  init(_ bans: [ConnectionCloser.Ban]) {
    for ban in bans {
      targets[ban.subnet, default: []].append(ban.target)
      lengths.insert(ban.subnet.length)
    }
  }

  var subnets: [Subnet] { Array(targets.keys) }

  /// Is a connection from this address to this port refused?
  func covers(_ address: Address, port: UInt16, transport: UInt8) -> Bool {
    lengths.contains { length in
      let subnet = Subnet(address, length: length)
      guard subnet.isIPv4 == address.isIPv4, let found = targets[subnet] else { return false }
      return found.contains { target in
        guard case .ranges(let ranges) = target.ports else { return true }
        return target.protocols.contains { $0.number == transport } && ranges.contains { $0.contains(port) }
      }
    }
  }
}
