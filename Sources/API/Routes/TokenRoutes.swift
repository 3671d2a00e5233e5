import HTTPServing
import Model
import NIOHTTP1
import System

/// Tokens, with which programs use the API from TCP.
extension ControlRoutes {
  var tokenEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/tokens", .administer,
        about: About("The tokens; the secrets are known to nobody.", answers: .lines(.init(TokenReply.self)))
      ) { _, _ in
        .lines(access.file.tokens.map { TokenReply($0) })
      },
      endpoint(
        .POST, "/api/v1/tokens", .administer,
        about: About(
          "Makes a token, which is told this once.", takes: .init(TokenRequest.self),
          answers: .json(.init(NewTokenReply.self)))
      ) { request, who in
        let wanted: TokenRequest = try .decode(request)
        let now = SystemClock.now()
        let expires = wanted.expires.map { now.adding(.seconds($0)) }
        let token = try access.addToken(wanted.name, wanted.role, expires: expires, at: now)
        await handlers.note("token add \(wanted.name) --role \(wanted.role.rawValue)", who)
        return .json(NewTokenReply(name: wanted.name, role: wanted.role, expires: expires, token: token))
      },
      endpoint(
        .DELETE, "/api/v1/tokens/{name}", .administer,
        about: About("Revokes a token at once.", answers: .json(.init(RevokedReply.self)))
      ) { request, who in
        let name = request.path.last ?? ""
        try access.revokeToken(name)
        await handlers.note("token revoke \(name)", who)
        return .json(RevokedReply(name: name))
      },
    ]
  }
}
