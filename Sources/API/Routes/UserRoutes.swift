import Cryptography
import HTTPServing
import Model
import NIOHTTP1
import System

/// People who may log in to the dashboard.
extension ControlRoutes {
  var userEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/users", .administer,
        about: About("Who may log in; passwords are known to nobody.", answers: .lines(.init(UserReply.self)))
      ) { _, _ in
        .lines(access.file.users.map { UserReply($0) })
      },
      endpoint(
        .POST, "/api/v1/users", .administer,
        about: About(
          "Makes a user, or gives one another password or role; sessions end.", takes: .init(UserRequest.self),
          answers: .json(.init(NewUserReply.self)))
      ) { request, who in
        let wanted: UserRequest = try .decode(request)
        let secret = wanted.totp == true ? OneTimePassword().base32 : nil
        let now = SystemClock.now()
        // Hashing a password takes some 50 ms of a processor.
        try await blocking {
          try access.setUser(
            wanted.name, password: wanted.password, role: wanted.role,
            totp: wanted.totp.map { $0 ? secret : nil }, at: now)
        }
        authenticator.remote?.sessions.endAll(of: wanted.name)
        await handlers.note(wanted.command, who)
        let role = access.role(of: wanted.name) ?? .look
        return .json(NewUserReply(name: wanted.name, role: role, totp: secret))
      },
      endpoint(
        .DELETE, "/api/v1/users/{name}", .administer,
        about: About("Removes a user; sessions end.", answers: .json(.init(RevokedReply.self)))
      ) { request, who in
        let name = request.path.last ?? ""
        try access.removeUser(name)
        authenticator.remote?.sessions.endAll(of: name)
        await handlers.note("user remove \(name)", who)
        return .json(RevokedReply(name: name))
      },
    ]
  }
}
