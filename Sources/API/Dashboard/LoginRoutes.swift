import HTTPServing
import Model
import NIOCore
import NIOHTTP1
import System

/// People log in by name and password, and by a one-time password where they have one (`bailiff user`).
extension ControlRoutes {
  var loginRoutes: [Route] {
    [
      Route(
        .GET, "/login",
        .waiting { request in
          do throws(RequestError) {
            try authenticator.remote?.check(host: request)
            return Self.html(Self.loginPage(next: request.query("next")))
          } catch {
            return Self.refusal(error)
          }
        }),
      Route(
        .POST, "/login", bodyLimit: 8 << 10,
        .waiting { request in
          do { return try await login(request, at: SystemClock.now()) } catch {
            return Self.refusal(RequestError(error))
          }
        }),
      Route(
        .POST, "/logout", bodyLimit: 8 << 10,
        .waiting { request in
          guard let remote = authenticator.remote, let session = remote.session(request, at: SystemClock.now())?.0,
            let form = try? FormFields(request), form["csrf"] == session.csrf,
            let key = RemoteAccess.cookieValue(request)
          else { return Self.redirect("/login") }
          remote.sessions.end(key)
          return Self.redirect("/login", ["Set-Cookie": Self.cookie("", seconds: 0, isSecure: false)])
        }),
    ]
  }

  private func login(_ request: HTTPRequest, at now: Instant) async throws -> HTTPResponse {
    guard let remote = authenticator.remote, case .remote(let peer) = request.peer else {
      throw RequestError(.notPermitted, "the Unix socket needs no login")
    }
    try remote.check(host: request)
    let address = remote.client(request, from: peer)
    guard remote.rate.admits(address, at: monotonicSeconds()) else {
      throw RequestError(.tooMany, "too many requests", remedy: "wait a moment")
    }
    // Another site's form would log its visitors in as somebody else (Fetch Metadata, W3C).
    if let site = request.headers.first(name: "Sec-Fetch-Site"), site != "same-origin", site != "none" {
      throw RequestError(.notPermitted, "the form was sent by another site", remedy: "open /login here")
    }
    let form = try FormFields(request)
    let (name, password) = (form["name"] ?? "", form["password"] ?? "")
    let wait = remote.throttle.begin(address, name)
    guard wait == 0 else {
      throw RequestError(.tooMany, "too many failed logins", remedy: "come back in \(wait) s")
    }
    let code = form["code"].flatMap { $0.isEmpty ? nil : $0 }
    let found = try await blocking { access.login(name, password: password, code: code, at: now) }
    guard let found else {
      remote.loginFailed(address)
      return Self.html(Self.loginPage(next: form["next"], failed: true), .unauthorized)
    }
    remote.throttle.succeeded(address, name)
    access.flush(at: now)
    let caller = Operator(user: found.name, role: found.role, address: address)
    await handlers.note("login", caller)
    let session = remote.sessions.start(found.name, address: address, at: now)
    let isSecure = remote.isSecure(request, from: peer)
    return Self.redirect(
      Self.local(form["next"]),
      ["Set-Cookie": Self.cookie(session.key, seconds: SessionTable.longest.seconds, isSecure: isSecure)])
  }

  private static func cookie(_ key: String, seconds: Int64, isSecure: Bool) -> String {
    "\(RemoteAccess.cookie)=\(key); Path=/; HttpOnly; SameSite=Strict; Max-Age=\(seconds)"
      + (isSecure ? "; Secure" : "")
  }

  /// A path of this server's, or its first page: nobody is sent elsewhere.
  static func local(_ path: String?) -> String {
    guard let path, path.hasPrefix("/"), !path.hasPrefix("//"), path.utf8.count <= 2048,
      path.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") })
    else { return "/" }
    return path
  }

  private static func loginPage(next: String?, failed: Bool = false) -> HTML {
    let problem: HTML =
      failed ? "<p class=\"warning\" role=\"alert\">Name, password or one-time password is wrong.</p>" : ""
    return Layout.document(
      "Log in",
      """
      <main class="login"><h1>Bailiff on \(LocalHost.name)</h1>\(problem)
      <form method="post" action="/login"><input type="hidden" name="next" value="\(local(next))">
      <label>Name <input name="name" autocomplete="username" required maxlength="64" autofocus></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="1024"></label>
      <label>One-time password, if you have one <input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="8"></label>
      <button type="submit">Log in</button></form>
      <p class="note">No name yet? On the server: <code>bailiff user add NAME</code></p></main>
      """)
  }
}
