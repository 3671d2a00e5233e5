package import NIOHTTP1

/// Which function answers a request.
package struct Route: Sendable {
  package enum Handler: Sendable {
    /// Runs on the server's own thread, so it must not wait: for answers from memory.
    case immediate(@Sendable (HTTPRequest) -> HTTPResponse)
    case waiting(@Sendable (HTTPRequest) async -> HTTPResponse)
  }

  package var method: HTTPMethod
  /// `{name}` stands for one part of the path.
  package var path: [String]
  /// Bytes that its request's body may hold.
  package var bodyLimit: Int
  package var handler: Handler

  package init(_ method: HTTPMethod, _ path: String, bodyLimit: Int = 64 << 10, _ handler: Handler) {
    self.method = method
    self.path = path.split(separator: "/").map(String.init)
    self.bodyLimit = bodyLimit
    self.handler = handler
  }

  func matches(_ parts: [String]) -> Bool {
    path.count == parts.count && zip(path, parts).allSatisfy { $0 == $1 || $0.first == "{" }
  }
}

/// All routes of a server. A path without parameters is found in one look, others one after the other.
package struct Router: Sendable {
  package enum Match {
    case route(Route)
    case notFound
    /// The path exists, for these methods.
    case notAllowed([HTTPMethod])
  }

  private var literal: [String: [Route]] = [:]
  private var parametrised: [Route] = []

  package init(_ routes: [Route]) {
    for route in routes {
      if route.path.contains(where: { $0.first == "{" }) {
        parametrised.append(route)
      } else {
        literal[route.path.joined(separator: "/"), default: []].append(route)
      }
    }
  }

  /// HEAD is answered as GET is, without the body.
  package func match(_ method: HTTPMethod, _ path: [String]) -> Match {
    // A part that holds a slash was written %2F: it is no separator.
    let exact = path.contains { $0.contains("/") } ? nil : literal[path.joined(separator: "/")]
    let candidates = exact ?? parametrised.filter { $0.matches(path) }
    guard !candidates.isEmpty else { return .notFound }
    let wanted = method == .HEAD ? .GET : method
    if let route = candidates.first(where: { $0.method == wanted }) { return .route(route) }
    let methods = candidates.map(\.method)
    return .notAllowed(methods.contains(.GET) ? methods + [.HEAD] : methods)
  }
}
