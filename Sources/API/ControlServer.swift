import Glibc
import HTTPServing
import Model
import NIOCore
import NIOPosix
public import Settings
import System

/// The API's server: HTTP and JSON on a Unix socket.
///
/// ```swift
/// let server = try await ControlServer.start(socket: "/run/bailiff/bailiff.sock", group: "bailiff", handlers: handlers)
/// …
/// await server.stop()
/// ```
/// Root, the daemon's own user and the members of `group` are admitted, by the socket's mode and again by the peer's
/// credentials; everybody else is told so.
public final class ControlServer: Sendable {
  private let http: HTTPServer
  private let workers: NIOThreadPool
  private let file: SocketFile
  private let fileIdentity: UInt64?
  private let admission: Admission

  private init(_ http: HTTPServer, _ workers: NIOThreadPool, _ file: SocketFile, _ admission: Admission) {
    self.http = http
    self.workers = workers
    self.file = file
    self.admission = admission
    fileIdentity = file.identity()
  }

  /// Binds the socket; when this returns, clients are answered.
  public static func start(
    socket path: String, group: String? = nil, remote: APISettings? = nil, handlers: ControlHandlers,
    context: InspectionContext
  ) async throws -> ControlServer {
    let gid = try groupID(group)
    let admission = Admission(group: gid, groupName: group)
    let file = SocketFile(path: path)
    try file.prepare()
    let workers = NIOThreadPool(numberOfThreads: 2)
    workers.start()
    let access = try AccessStore(path: context.settings().state + "/access.json")
    let authenticator = Authenticator(
      admission: admission,
      remote: remote.map { RemoteAccess($0, access, loginFailed: handlers.loginFailed) })
    let routes = ControlRoutes(
      handlers: handlers, context: context, authenticator: authenticator, access: access, workers: workers)
    let http = HTTPServer(routes.router, failures: .control)
    do {
      try await http.listen(unixSocket: path)
      try file.admit(group: gid)
      if let remote { try await Self.listen(http, remote) }
      return ControlServer(http, workers, file, admission)
    } catch {
      await http.stop()
      try? await workers.shutdownGracefully()
      guard let error = error as? IOError else { throw error }
      throw RequestError(
        .failed, "cannot listen on \(path): \(SystemError.text(error.errnoCode))",
        remedy: "its directory must exist and be writable by this user")
    }
  }

  /// The number of a group that the socket is to admit; nil: none is.
  public static func groupID(_ group: String?) throws -> UInt32? {
    guard let group else { return nil }
    guard let gid = Accounts.groupID(group) else {
      throw RequestError(
        .invalid, "group \(group), which the socket is to admit, does not exist",
        remedy: "groupadd --system \(printable(group))")
    }
    return gid
  }

  /// Admits the members of another group from now on, or of none.
  public func admit(group: String?) throws {
    let gid = try Self.groupID(group)
    // Without a group the socket is the daemon's own group's, as when it was made.
    try file.admit(group: gid ?? getegid())
    admission.admit(group: gid, groupName: group)
  }

  private static func listen(_ http: HTTPServer, _ remote: APISettings) async throws {
    do { _ = try await http.listen(host: remote.listen.host, port: remote.listen.port) } catch let error as IOError {
      throw RequestError(
        .failed, "api: cannot listen on \(remote.listen): \(SystemError.text(error.errnoCode))",
        remedy: "set another `listen`")
    }
  }

  /// Answers the requests that are under way, for two seconds at most, and removes the socket.
  public func stop() async {
    file.remove(ifStill: fileIdentity)
    await http.stop()
    try? await workers.shutdownGracefully()
  }
}

extension RemoteAccess {
  fileprivate init(
    _ settings: APISettings, _ store: AccessStore, loginFailed: @escaping @Sendable (Address) async -> Void
  ) {
    self.init(
      store: store, sessions: SessionTable(), throttle: LoginThrottle(),
      loginFailed: { address in _ = Task { await loginFailed(address) } }, hosts: HostCheck(settings.hosts),
      trustedProxies: settings.trustedProxies)
  }
}
