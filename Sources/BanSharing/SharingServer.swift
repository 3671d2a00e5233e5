internal import HTTPServing
internal import Metrics
internal import NIOCore
internal import NIOHTTP1
public import Settings

/// The listeners of `compat`: `crowdsec`, `check` and `prometheus`, each on an address of its own.
///
/// ```swift
/// let sharing = SharingServer(view)
/// for problem in await sharing.start(settings.compat, metrics: { "" }) { print(problem) }
/// await sharing.stop()
/// ```
public actor SharingServer {
  private let view: BanView
  private let say: @Sendable (String) -> Void
  private var servers: [HTTPServer] = []

  /// - Parameter say: hears what an administrator should know of a bouncer, once.
  public init(_ view: BanView, say: @escaping @Sendable (String) -> Void) {
    self.view = view
    self.say = say
  }

  /// Returns what could not be begun, a line each; the rest is. `metrics` are in Prometheus' text format.
  public func start(_ compat: CompatSettings, metrics: @escaping @Sendable () -> String) async -> [String] {
    var problems: [String] = []
    if let crowdsec = compat.crowdsec {
      var keys: [(name: String, key: String)] = []
      for key in crowdsec.keys {
        do { keys.append((key.name, try key.key.read())) } catch {
          problems.append("compat: crowdsec: \(key.name): \(error)")
        }
      }
      let api = BouncerAPI(view, keys: keys) { [say] name, agent, blocks in
        if let text = Self.note(name, agent, blocks) { say(text) }
      }
      problems += await listen("crowdsec", api.routes, crowdsec.listen)
    }
    if let check = compat.check { problems += await listen("check", ForwardAuth(view).routes, check) }
    if let prometheus = compat.prometheus {
      problems += await listen("prometheus", [Self.route(metrics)], prometheus)
    }
    return problems
  }

  public func stop() async {
    for server in servers { await server.stop() }
    servers = []
  }

  private static func route(_ metrics: @escaping @Sendable () -> String) -> Route {
    Route(
      .GET, "/metrics",
      .waiting { _ in
        HTTPResponse(
          status: .ok, headers: ["Content-Type": Exposition.contentType], body: .bytes(ByteBuffer(string: metrics())))
      })
  }

  private func listen(_ name: String, _ routes: [Route], _ address: TCPAddress) async -> [String] {
    let server = HTTPServer(Router(routes), failures: .plain)
    do {
      _ = try await server.listen(host: address.host, port: address.port)
      servers.append(server)
      return []
    } catch {
      await server.stop()
      return ["compat: \(name): cannot listen on \(address): \(error)"]
    }
  }

  /// What a bouncer cannot hold.
  private static func note(_ name: String, _ agent: String, _ blocks: Int) -> String? {
    guard agent.hasPrefix("crowdsec-firewall-bouncer"), blocks > 0 else { return nil }
    return
      "compat: crowdsec: \(name) is a firewall bouncer, which makes one address of a block: \(blocks) of its bans are blocks "
      + "(of IPv6 each /64) and are enforced by Bailiff's own firewall only"
  }
}

extension HTTPFailures {
  fileprivate static let plain = HTTPFailures(
    badRequest: .json("{\"message\":\"bad request\"}", .badRequest),
    notFound: .json("{\"message\":\"not found\"}", .notFound),
    timeout: .json("{\"message\":\"timeout\"}", .requestTimeout),
    full: .json("{\"message\":\"busy\"}", .serviceUnavailable),
    tooLarge: { _ in .json("{\"message\":\"too large\"}", .payloadTooLarge) },
    notAllowed: { methods in
      var response = HTTPResponse.json("{\"message\":\"method not allowed\"}", .methodNotAllowed)
      response.headers.add(name: "Allow", value: methods.map(\.rawValue).joined(separator: ", "))
      return response
    })
}
