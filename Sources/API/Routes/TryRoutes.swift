import HTTPServing
import Inspection
import JSON
import Model
import NIOCore
import NIOHTTP1
import Settings
import System

/// Lines that somebody sends are tried; nothing is changed by them.
extension ControlRoutes {
  var tryEndpoints: [Endpoint] {
    [
      endpoint(
        .POST, "/api/v1/filters/test", bodyLimit: 1 << 20,
        about: About(
          "What a filter makes of each line.", takes: .init(LinesRequest.self), answers: .lines(.lineReply))
      ) { request, _ in
        let wanted: LinesRequest = try .decode(request)
        guard let filter = wanted.filter else { throw RequestError(.invalid, "`filter` is missing") }
        return .lines(try await test(wanted.lines, by: filter))
      },
      endpoint(
        .POST, "/api/v1/filters/detect", bodyLimit: 1 << 20,
        about: About(
          "Which filters find failures in these lines.", takes: .init(LinesRequest.self),
          answers: .lines(.init(DetectReply.self)))
      ) { request, _ in
        let wanted: LinesRequest = try .decode(request)
        let log = try PostedLog(Array(wanted.lines.utf8))
        return .lines(
          try await inTurn { context in try log.detect(context.settings().library, at: SystemClock.now()) })
      },
      endpoint(
        .POST, "/api/v1/replay", bodyLimit: 16 << 20,
        about: About(
          "Whom a jail would have banned in this log, under its limits or others.", takes: .init(ReplayRequest.self),
          answers: .lines(.init(DecisionReply.self)))
      ) { request, _ in
        let wanted: ReplayRequest = try .decode(request)
        return try await replay(wanted)
      },
      endpoint(
        .GET, "/api/v1/check",
        about: About(
          "What is wrong with the settings' files, or worth knowing.", answers: .lines(.init(CheckReply.self)))
      ) { _, _ in
        .lines(try await inTurn { context in CheckReply.all(file: context.settings().file) })
      },
    ]
  }

  func test(_ lines: String, by filter: String) async throws -> [LineReply] {
    let log = try PostedLog(Array(lines.utf8))
    return try await inTurn { context in try log.test(filter, context.settings().library, at: SystemClock.now()) }
  }

  /// The decisions, and a summary behind them, as `replay --json` prints them.
  private func replay(_ wanted: ReplayRequest) async throws -> HTTPResponse {
    let log = try PostedLog(Array(wanted.log.utf8))
    let limits = try wanted.limits
    let text = try await inTurn { context in
      var text = JSONText()
      let summary = try log.replay(wanted.jail, limits, context.settings()) { decision in
        JSONOutput.append(DecisionReply(decision), to: &text)
        text.endLine()
      }
      JSONOutput.append(ReplayReply(summary), to: &text)
      text.endLine()
      return text.bytes
    }
    return HTTPResponse(
      status: .ok, headers: ["Content-Type": "application/x-ndjson"], body: .bytes(ByteBuffer(bytes: text)))
  }

  /// One at a time: each takes a processor for a while, and the workers are two.
  func inTurn<Reply: Sendable>(
    _ body: @escaping @Sendable (InspectionContext) throws -> Reply
  ) async throws -> Reply {
    guard HeavyTurn.take() else {
      throw RequestError(.tooMany, "somebody else's question takes the processor", remedy: "ask again in a moment")
    }
    defer { HeavyTurn.giveBack() }
    let context = context
    return try await blocking { try body(context) }
  }
}

/// Lines of a log, and the filter that is tried on them.
struct LinesRequest: Hashable, Sendable, Codable, CheckedRequest {
  var filter: String?
  var lines: String

  func check() throws(RequestError) {}
}

/// A log, and the jail that is to judge it; limits that are left out are the jail's own. Times in seconds.
struct ReplayRequest: Hashable, Sendable, Codable, CheckedRequest {
  var jail: String
  var log: String
  var maxretry: Int?
  var findtime: Int64?
  /// Negative: permanent.
  var bantime: Int64?

  func check() throws(RequestError) {}

  var limits: WhatIfLimits {
    get throws(RequestError) {
      let longest: Int64 = 1000 * 366 * 86_400
      guard (findtime ?? 1) <= longest, (bantime ?? 1) <= longest else {
        throw RequestError(.invalid, "that is longer than a thousand years")
      }
      return WhatIfLimits(
        maxretry: maxretry, findtime: findtime.map { .seconds($0) },
        bantime: bantime.map { .seconds(max($0, -1)) })
    }
  }
}

extension About.Shape {
  /// A line's failures have a member for each group of the pattern, which no type can name.
  fileprivate static let lineReply = About.Shape(name: "LineReply") {
    JSONSchema.object([
      ("line", .integer, true), ("result", .words(["failure", "activity", "none", "ignored"]), true),
      ("failures", .list(of: .object([("id", .text, true)])), true),
    ])
  }
}
