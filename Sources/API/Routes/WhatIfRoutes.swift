import HTTPServing
import Inspection
import Model
import NIOHTTP1
import Settings
import System

/// The past under other limits.
extension ControlRoutes {
  var whatIfEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/what-if",
        about: About(
          "Who would have been banned under other limits of a jail, and who not.",
          query: [
            .text("jail", "Which jail.", isRequired: true), .integer("maxretry", "In place of the jail's."),
            .text("findtime", "The same: 10m."), .text("bantime", "The same: 1h, permanent."),
            .text("id", "Of this address or block alone."),
          ] + TimeRange.parameters + [.integer("limit", "So many names of each kind: 1 to 10000.")],
          answers: .json(.init(WhatIfReply.self)))
      ) { request, _ in
        try await .json(whatIf(WhatIfQuestion.make(request)))
      }
    ]
  }

  func whatIf(_ question: WhatIf) async throws -> WhatIfReply {
    try await inTurn { context in
      try question.reply(context.audit(), context.settings(), at: SystemClock.now())
    }
  }
}

/// A request's parameters as a question.
enum WhatIfQuestion {
  static func make(_ request: HTTPRequest) throws(RequestError) -> WhatIf {
    guard let jail = request.query("jail"), !jail.isEmpty else {
      throw RequestError(.invalid, "`jail` is missing", remedy: "name one: jail=sshd")
    }
    let range = try TimeRange(request, since: "30d", now: SystemClock.now())
    let limits = WhatIfLimits(
      maxretry: try request.number("maxretry", in: 1...100_000), findtime: try request.span("findtime"),
      bantime: try request.span("bantime"))
    return WhatIf(
      jail: jail, limits: limits, since: range.since, until: range.until, subnet: try request.subnet("id"),
      limit: try request.number("limit", in: 1...10_000) ?? 100)
  }
}

extension HTTPRequest {
  /// A length of time; negative: permanent. What is empty was left out in a form.
  fileprivate func span(_ name: String) throws(RequestError) -> TimeSpan? {
    guard let text = query(name), !text.isEmpty else { return nil }
    if text == "permanent" { return .seconds(-1) }
    guard let span = try? TimeSpan(parsing: text), span > .zero else {
      throw RequestError(.invalid, "`\(name)` is `\(text)`, which is no time", remedy: "write 10m, 1h or 7d")
    }
    return span
  }
}
