import Glibc
import HTTPServing
import Model
import NIOHTTP1
import System

/// Who asks, and what they may: on the Unix socket by the kernel's word, on TCP by a token or a session.
struct Authenticator: Sendable {
  var admission: Admission
  /// Nil where nothing listens on TCP.
  var remote: RemoteAccess?

  /// - Throws: `RequestError` with kind `unauthenticated` when nobody is named, `notPermitted` when the role does not suffice.
  func authenticate(_ request: HTTPRequest, needs role: Role, at now: Instant) throws(RequestError) -> Operator {
    let caller = try caller(request, at: now)
    guard caller.role >= role else {
      throw RequestError(
        .notPermitted, "\(caller) may \(caller.role.rawValue), and this takes \(role.rawValue)",
        remedy: "ask somebody who may")
    }
    return caller
  }

  private func caller(_ request: HTTPRequest, at now: Instant) throws(RequestError) -> Operator {
    switch request.peer {
    case .local(nil): throw RequestError(.notPermitted, "the kernel does not say who is connected")
    case .local(let peer?):
      // A proxy before the Unix socket speaks for people whom the kernel does not know.
      guard !Self.isForwarded(request) else {
        throw RequestError(
          .notPermitted, "the Unix socket is not for proxies", remedy: "let the proxy connect to `api: {listen: …}`")
      }
      let role = try admission.role(of: peer)
      let session = request.headers.first(name: bailiffSession).flatMap { Address($0) }
      return peer.named(session: session, role: role)
    case .remote(let address):
      guard let remote else { throw RequestError(.notPermitted, "nothing is served on TCP") }
      return try remote.caller(request, from: address, at: now)
    }
  }

  /// Whether who was let in still would be: a stream goes on for hours, and people are logged out, and tokens revoked.
  func stillAdmits(_ request: HTTPRequest, at now: Instant) -> Bool {
    guard case .remote = request.peer else { return true }
    return remote?.stillAdmits(request, at: now) ?? false
  }

  private static func isForwarded(_ request: HTTPRequest) -> Bool {
    ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"].contains { request.headers.contains(name: $0) }
  }
}

/// Access from TCP.
struct RemoteAccess: Sendable {
  var store: AccessStore
  var sessions: SessionTable
  var throttle: LoginThrottle
  var rate = RequestRate()
  /// Hears of a client that was not who it said.
  var loginFailed: @Sendable (Address) -> Void = { _ in }
  var hosts: HostCheck
  /// Whose word is taken for the client's address and protocol.
  var trustedProxies: [Subnet]

  static let cookie = "bailiff_session"
  static let csrfHeader = "Bailiff-CSRF"

  func caller(_ request: HTTPRequest, from peer: Address, at now: Instant) throws(RequestError) -> Operator {
    let address = client(request, from: peer)
    guard rate.admits(address, at: monotonicSeconds()) else {
      throw RequestError(.tooMany, "too many requests", remedy: "send at most \(Int(RequestRate.perSecond)) a second")
    }
    try check(host: request)
    if let token = Self.bearer(request) {
      let wait = throttle.wait(address, nil)
      guard wait == 0 else {
        throw RequestError(.tooMany, "too many wrong tokens", remedy: "come back in \(wait) s")
      }
      guard let identity = store.identity(token: token, at: now) else {
        throttle.failed(address, nil)
        loginFailed(address)
        throw RequestError(.unauthenticated, "this token is not known, or its time is over")
      }
      store.flush(at: now)
      return Operator(token: identity.name, role: identity.role, address: address)
    }
    guard let (session, role) = session(request, at: now) else {
      throw RequestError(
        .unauthenticated, "nobody is logged in", remedy: "send Authorization: Bearer TOKEN, or log in")
    }
    if request.method != .GET, request.method != .HEAD {
      guard request.headers.first(name: Self.csrfHeader) == session.csrf else {
        throw RequestError(.notPermitted, "\(Self.csrfHeader) is not this session's", remedy: "load the page again")
      }
    }
    return Operator(user: session.user, role: role, address: address)
  }

  func stillAdmits(_ request: HTTPRequest, at now: Instant) -> Bool {
    if let token = Self.bearer(request) { return store.identity(token: token, at: now) != nil }
    return session(request, at: now, isUse: false) != nil
  }

  func check(host request: HTTPRequest) throws(RequestError) {
    guard hosts.admits(request.headers.first(name: "Host")) else {
      throw RequestError(
        .misdirected, "this server is not called by that name", remedy: "add it to `api: {hosts: […]}` if it is")
    }
  }

  func session(_ request: HTTPRequest, at now: Instant, isUse: Bool = true) -> (SessionTable.Session, Role)? {
    guard let key = Self.cookieValue(request), let session = sessions.find(key, at: now, isUse: isUse),
      let role = store.role(of: session.user)
    else { return nil }
    return (session, role)
  }

  /// Where the client is: what a trusted proxy says, the rightmost address that is none of theirs.
  func client(_ request: HTTPRequest, from peer: Address) -> Address {
    func isTrusted(_ address: Address) -> Bool { trustedProxies.contains { $0.contains(address) } }
    guard isTrusted(peer) else { return peer }
    let hops = request.headers[canonicalForm: "X-Forwarded-For"].reversed()
    var nearest = peer
    for hop in hops {
      guard let address = Address(hop) else { break }
      nearest = address
      if !isTrusted(address) { break }
    }
    return nearest
  }

  /// Did the client come by TLS, as a trusted proxy says?
  func isSecure(_ request: HTTPRequest, from peer: Address) -> Bool {
    trustedProxies.contains { $0.contains(peer) }
      && request.headers.first(name: "X-Forwarded-Proto")?.lowercased() == "https"
  }

  private static func bearer(_ request: HTTPRequest) -> String? {
    guard let header = request.headers.first(name: "Authorization") else { return nil }
    let words = header.split(separator: " ", maxSplits: 1)
    return words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
  }

  static func cookieValue(_ request: HTTPRequest) -> String? {
    for header in request.headers[canonicalForm: "Cookie"] {
      for pair in header.split(separator: ";") {
        let sides = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
        if sides.count == 2, sides[0] == cookie { return String(sides[1]) }
      }
    }
    return nil
  }
}
