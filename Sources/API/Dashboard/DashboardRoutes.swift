import HTTPServing
import Model
import NIOCore
import NIOHTTP1
import System

/// The dashboard: pages for people, made of what the API answers. They come by TCP (`api`), and only to who is logged in.
///
/// Nothing is loaded from elsewhere and nothing inline is run: a strict Content-Security-Policy holds, so that what an attacker
/// wrote into a log could do nothing even if it became markup.
extension ControlRoutes {
  var dashboardRoutes: [Route] {
    guard authenticator.remote != nil else { return [] }
    return assetRoutes + loginRoutes + pageRoutes + actionRoutes + [reportFileRoute, tryRoute] + reportActions
  }

  private var assetRoutes: [Route] {
    [
      ("dashboard.css", "text/css; charset=utf-8", PackageResources.dashboard_css),
      ("dashboard.js", "text/javascript; charset=utf-8", PackageResources.dashboard_js),
    ].map { name, type, bytes in
      // Without a session: the login page needs them, and they hold nothing.
      Route(
        .GET, "/assets/\(name)",
        .immediate { _ in
          HTTPResponse(
            status: .ok, headers: Self.headers(["Content-Type": type, "Cache-Control": "max-age=300"]),
            body: .bytes(ByteBuffer(bytes: bytes)))
        })
    }
  }

  /// What is sent with everything: no frame, no guessing of types, nothing from elsewhere, no word to other sites.
  static func headers(_ more: HTTPHeaders = [:]) -> HTTPHeaders {
    var headers: HTTPHeaders = [
      "Content-Security-Policy":
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
      "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    ]
    headers.add(contentsOf: more)
    return headers
  }

  /// A report is one file with its own style in it, and is protected as the pages are.
  static var reportHeaders: HTTPHeaders {
    var headers = headers(["Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"])
    headers.replaceOrAdd(
      name: "Content-Security-Policy",
      value:
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    return headers
  }

  static func html(_ page: HTML, _ status: HTTPResponseStatus = .ok) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: headers(["Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"]),
      body: .bytes(ByteBuffer(string: page.text)))
  }

  /// After a form: the browser asks for a page, which can be loaded again without doing it again (RFC 9110, 15.4.4).
  static func redirect(_ path: String, _ more: HTTPHeaders = [:]) -> HTTPResponse {
    var headers = headers(["Location": path, "Cache-Control": "no-store"])
    headers.add(contentsOf: more)
    return HTTPResponse(status: .seeOther, headers: headers, body: .bytes(ByteBuffer()))
  }

  /// A page of the navigation.
  func page(
    _ path: String, _ title: String,
    _ body: @escaping @Sendable (HTTPRequest, Viewer) async throws -> HTML
  ) -> Route {
    let authenticator = authenticator
    return Route(
      .GET, path,
      .waiting { request in
        let now = SystemClock.now()
        do {
          let viewer = try authenticator.viewer(request, at: now)
          let layout = Layout(
            path: path, title: title, viewer: viewer, said: Said(request)?.html(viewer))
          do {
            return Self.html(layout.page(try await body(request, viewer)))
          } catch {
            let error = RequestError(error)
            return Self.html(layout.page(Self.problem(error)), HTTPResponseStatus(error.kind))
          }
        } catch {
          let error = RequestError(error)
          guard error.kind == .unauthenticated else { return Self.refusal(error) }
          return Self.redirect(HTML.link("/login", [("next", Self.target(of: request))]))
        }
      })
  }

  /// A form that changes something, sent by a page of this server's: the session's CSRF token must be in it.
  func action(
    _ path: String, _ role: Role, _ body: @escaping @Sendable (FormFields, Operator) async throws -> String
  ) -> Route {
    let authenticator = authenticator
    return Route(
      .POST, path,
      .waiting { request in
        do {
          let form = try FormFields(request)
          let caller = try authenticator.caller(ofForm: form, request, needs: role, at: SystemClock.now())
          return Self.redirect(try await body(form, caller))
        } catch {
          return Self.refusal(RequestError(error))
        }
      })
  }

  /// For who is not let in, or asked for what cannot be: without anything that only who is logged in may see.
  static func refusal(_ error: RequestError) -> HTTPResponse {
    html(
      Layout.document(
        "Not done",
        "<main class=\"login\"><h1>Not done</h1>\(problem(error))<p><a href=\"/\">to the pages</a></p></main>"),
      HTTPResponseStatus(error.kind))
  }

  static func problem(_ error: RequestError) -> HTML {
    let remedy: HTML = error.remedy.map { "<br>\($0)" } ?? ""
    return "<p class=\"warning\" role=\"alert\">\(error.message)\(remedy)</p>"
  }

  /// Where the browser wanted to go: a path of this server's.
  private static func target(of request: HTTPRequest) -> String {
    HTML.link("/" + request.path.map(HTML.encoded).joined(separator: "/"), request.query.map { ($0.name, $0.value) })
  }
}

extension Authenticator {
  /// - Throws: `RequestError` when nobody is logged in, or too much is asked.
  fileprivate func viewer(_ request: HTTPRequest, at now: Instant) throws(RequestError) -> Viewer {
    let caller = try authenticate(request, needs: .look, at: now)
    return Viewer(name: caller.user, role: caller.role, csrf: remote?.session(request, at: now)?.0.csrf)
  }

  /// Who sent a form that only asks.
  func viewer(ofForm form: FormFields, _ request: HTTPRequest, at now: Instant) throws(RequestError) -> Viewer {
    let caller = try caller(ofForm: form, request, needs: .look, at: now)
    return Viewer(name: caller.user, role: caller.role, csrf: remote?.session(request, at: now)?.0.csrf)
  }

  fileprivate func caller(
    ofForm form: FormFields, _ request: HTTPRequest, needs role: Role, at now: Instant
  ) throws(RequestError) -> Operator {
    // What a script sends in a header a form has in a field.
    var request = request
    request.headers.replaceOrAdd(name: RemoteAccess.csrfHeader, value: form["csrf"] ?? "")
    guard case .remote = request.peer, let remote, remote.session(request, at: now) != nil else {
      throw RequestError(.unauthenticated, "nobody is logged in", remedy: "log in, and do it again")
    }
    return try authenticate(request, needs: role, at: now)
  }
}

/// The fields of a form (`application/x-www-form-urlencoded`).
struct FormFields: Sendable {
  private var fields: [(name: String, value: String)]

  init(_ request: HTTPRequest) throws(RequestError) {
    let type = request.headers.first(name: "Content-Type")?.prefix { $0 != ";" }.lowercased()
    guard type == "application/x-www-form-urlencoded",
      let text = String(validating: request.body.readableBytesView, as: UTF8.self),
      let fields = try? HTTPRequest.target("/?" + text).query
    else { throw RequestError(.invalid, "this is no form") }
    self.fields = fields
  }

  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  func required(_ name: String) throws(RequestError) -> String {
    guard let value = self[name], !value.isEmpty else { throw RequestError(.invalid, "`\(name)` is missing") }
    return value
  }
}
