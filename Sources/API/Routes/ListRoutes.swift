import HTTPServing
import JSON
import Model
import NIOHTTP1

/// `/api/v1/lists`, `/api/v1/allowed`: docs/api.md.
extension ControlRoutes {
  var listRoutes: [Route] {
    let lists = handlers.lists
    return [
      route(.GET, "/api/v1/lists") { _, _ in try await .lines(lists.lists()) },
      route(.POST, "/api/v1/lists/accept", .operate) { request, who in
        try await .json(lists.accept(.decode(request), who))
      },
      route(.GET, "/api/v1/allowed") { _, _ in try await .lines(lists.allowed()) },
      route(.POST, "/api/v1/allow", .operate) { request, who in try await .json(lists.allow(.decode(request), who)) },
      route(.POST, "/api/v1/disallow", .operate) { request, who in
        try await .json(lists.disallow(.decode(request), who))
      },
    ]
  }
}
