package import HTTPServing
internal import Model
internal import NIOHTTP1
internal import Synchronization
internal import System

/// CrowdSec's local API, as far as its bouncers use it: our bans are their decisions.
package final class BouncerAPI: Sendable {
  private let view: BanView
  /// Names by key.
  private let keys: [(name: String, key: [UInt8])]
  private let bouncers = Mutex<[String: Bouncer]>([:])
  /// Hears of each bouncer once, with its User-Agent.
  private let onFirst: @Sendable (_ name: String, _ agent: String, _ blocks: Int) -> Void
  private let seen = Mutex<Set<String>>([])

  package init(
    _ view: BanView, keys: [(name: String, key: String)],
    onFirst: @escaping @Sendable (_ name: String, _ agent: String, _ blocks: Int) -> Void
  ) {
    self.view = view
    self.keys = keys.map { ($0.name, Array($0.key.utf8)) }
    self.onFirst = onFirst
  }

  package var routes: [Route] {
    [
      Route(.GET, "/v1/decisions/stream", .immediate { [self] in answer($0, stream) }),
      Route(.GET, "/v1/decisions", .immediate { [self] in answer($0, decisions) }),
      Route(.GET, "/v1/heartbeat", .immediate { [self] in answer($0) { _, _ in .json("{\"message\":\"ok\"}") } }),
      Route(
        .POST, "/v1/usage-metrics", bodyLimit: 4 << 20,
        .immediate { [self] in answer($0) { _, _ in .json("{\"message\":\"ok\"}", .created) } }),
      Route(.GET, "/health", .immediate { _ in .json("{\"status\":\"up\"}") }),
    ]
  }

  private func answer(_ request: HTTPRequest, _ body: (HTTPRequest, String) -> HTTPResponse) -> HTTPResponse {
    guard let key = request.headers.first(name: "X-Api-Key"), let name = name(of: Array(key.utf8)) else {
      return .json("{\"message\":\"access forbidden\"}", .forbidden)
    }
    return body(request, name)
  }

  /// Takes the same time for every wrong key of a length.
  private func name(of key: [UInt8]) -> String? {
    var found: String?
    for known in keys where known.key.count == key.count && !key.isEmpty {
      if zip(known.key, key).reduce(UInt8(0), { $0 | ($1.0 ^ $1.1) }) == 0 { found = known.name }
    }
    return found
  }

  private func stream(_ request: HTTPRequest, _ name: String) -> HTTPResponse {
    let filter = DecisionFilter(request)
    let now = SystemClock.now()
    let bans = view.longest(now: now).filter { filter.wants($0.value) }
    let (change, blocks) = bouncers.withLock { bouncers in
      let change = bouncers[name, default: Bouncer()].change(
        to: bans, all: request.query("startup") == "true", ended: { view.ended().filter(filter.wants) },
        at: monotonicSeconds())
      return (change, bouncers[name]!.blocks)
    }
    if seen.withLock({ $0.insert(name).inserted }) {
      onFirst(name, request.headers.first(name: "User-Agent") ?? "", blocks)
    }
    var json = DecisionJSON(now: now)
    json.append("{\"deleted\":")
    json.append(change.deleted, isOver: true)
    json.append(",\"new\":")
    json.append(change.new)
    json.append("}")
    return .json(json.bytes)
  }

  private func decisions(_ request: HTTPRequest, _ name: String) -> HTTPResponse {
    let filter = DecisionFilter(request)
    let now = SystemClock.now()
    var entries = view.all(now: now).filter(filter.wants)
    for parameter in ["ip", "range", "value"] {
      guard let text = request.query(parameter) else { continue }
      guard let subnet = Subnet(text) else {
        return .json(
          "{\"message\":\"unable to convert the value of \(parameter) to an address\"}", .internalServerError)
      }
      entries = entries.filter { parameter == "value" ? $0.subnet == subnet : $0.subnet.contains(subnet) }
    }
    var json = DecisionJSON(now: now)
    json.append(entries.sorted { $0.endsBefore($1) })
    return .json(json.bytes)
  }
}
