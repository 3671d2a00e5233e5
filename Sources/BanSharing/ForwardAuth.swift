package import HTTPServing
internal import Model
internal import NIOCore
internal import NIOHTTP1

/// `/v1/check`: may this client come in? For nginx's auth_request, Caddy's forward_auth and Traefik's forwardAuth.
package struct ForwardAuth: Sendable {
  private let view: BanView

  package init(_ view: BanView) { self.view = view }

  package var routes: [Route] {
    // The proxies repeat the method of the request that they ask about.
    [.GET, .POST, .PUT, .PATCH, .DELETE, .OPTIONS].map { method in
      Route(method, "/v1/check", .immediate { [view] in Self.answer($0, view) })
    }
  }

  /// 200, 403, or 400 where no header says who the client is.
  private static func answer(_ request: HTTPRequest, _ view: BanView) -> HTTPResponse {
    guard let client = client(request.headers) else {
      return .json("{\"error\":\"X-Forwarded-For names no address\"}", .badRequest)
    }
    guard view.ban(of: client) != nil else { return HTTPResponse(status: .ok, body: .bytes(.init())) }
    return .json("{\"error\":\"banned\"}", .forbidden)
  }

  /// The last address of X-Forwarded-For: the one that the proxy itself has added or set.
  static func client(_ headers: HTTPHeaders) -> Address? {
    guard let field = headers[canonicalForm: "X-Forwarded-For"].last else { return nil }
    var text = field[...]
    // [2001:db8::1]:4711 and 192.0.2.1:4711, as some proxies write them.
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") { text = text[text.index(after: text.startIndex)..<end] }
    if let address = Address(text) { return address }
    let parts = text.split(separator: ":")
    return parts.count == 2 ? Address(parts[0]) : nil
  }
}
