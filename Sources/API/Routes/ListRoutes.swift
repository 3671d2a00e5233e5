import HTTPServing
import JSON
import Model
import NIOHTTP1

/// `/api/v1/lists`, `/api/v1/allowed`: docs/api.md.
extension ControlRoutes {
  var listEndpoints: [Endpoint] {
    let lists = handlers.lists
    return [
      endpoint(
        .GET, "/api/v1/lists",
        about: About("Blocklists and allow lists, and how fresh they are.", answers: .lines(.init(ListReply.self)))
      ) { _, _ in
        try await .lines(lists.lists())
      },
      endpoint(
        .POST, "/api/v1/lists/accept", .operate,
        about: About(
          "Takes over a list that has lost most of its entries.", takes: .init(ListRequest.self),
          answers: .json(.init(ListReply.self)))
      ) { request, who in
        try await .json(lists.accept(.decode(request), who))
      },
      endpoint(
        .GET, "/api/v1/allowed",
        about: About("Whom people have allowed.", answers: .lines(.init(AllowedReply.self)))
      ) { _, _ in
        try await .lines(lists.allowed())
      },
      endpoint(
        .POST, "/api/v1/allow", .operate,
        about: About(
          "Spares an address or a block in every jail and list.", takes: .init(AllowRequest.self),
          answers: .json(.init(AllowedReply.self)))
      ) { request, who in
        try await .json(lists.allow(.decode(request), who))
      },
      endpoint(
        .POST, "/api/v1/disallow", .operate,
        about: About(
          "Takes that back.", takes: .init(DisallowRequest.self), answers: .json(.init(DisallowedReply.self)))
      ) { request, who in
        try await .json(lists.disallow(.decode(request), who))
      },
    ]
  }
}
