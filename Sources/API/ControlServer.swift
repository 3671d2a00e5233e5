import Glibc
import Model
import NIOCore
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
  private let file: SocketFile
  private let fileIdentity: UInt64?

  private init(_ http: HTTPServer, _ file: SocketFile) {
    self.http = http
    self.file = file
    fileIdentity = file.identity()
  }

  /// Binds the socket; when this returns, clients are answered.
  public static func start(socket path: String, group: String? = nil, handlers: ControlHandlers) async throws
    -> ControlServer
  {
    let gid = try group.map { name throws(ControlError) in
      guard let gid = Accounts.groupID(name) else {
        throw ControlError(
          .invalid, "group \(name), which the socket is to admit, does not exist", remedy: "groupadd --system \(name)")
      }
      return gid
    }
    let file = SocketFile(path: path)
    try file.prepare()
    let routes = ControlRoutes(handlers: handlers, admission: Admission(group: gid, groupName: group))
    let http = HTTPServer(routes.router, failures: .control)
    do {
      try await http.listen(unixSocket: path)
      try file.admit(group: gid)
      return ControlServer(http, file)
    } catch {
      await http.stop()
      guard let error = error as? IOError else { throw error }
      throw ControlError(
        .failed, "cannot listen on \(path): \(SystemError.text(error.errnoCode))",
        remedy: "its directory must exist and be writable by this user")
    }
  }

  /// Answers the requests that are under way, for two seconds at most, and removes the socket.
  public func stop() async {
    file.remove(ifStill: fileIdentity)
    await http.stop()
  }
}
