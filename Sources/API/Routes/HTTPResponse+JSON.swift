import HTTPServing
import JSON
import Metrics
import Model
import NIOCore
import NIOHTTP1

extension HTTPResponse {
  /// A reply as one line of JSON.
  static func json(_ value: some Encodable, _ status: HTTPResponseStatus = .ok) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: ["Content-Type": "application/json"],
      body: .bytes(ByteBuffer(bytes: JSONOutput.line(of: value) + [UInt8(ascii: "\n")])))
  }

  static func metrics(_ text: String) -> HTTPResponse {
    HTTPResponse(
      status: .ok, headers: ["Content-Type": Exposition.contentType], body: .bytes(ByteBuffer(string: text)))
  }

  /// An object a line, sent as `next` returns them, until it returns none: a hundred thousand are never one text in memory.
  static func lines<Value: Encodable & Sendable>(
    headers: HTTPHeaders = [:], _ next: @escaping @Sendable () async throws -> [Value]
  ) -> HTTPResponse {
    var headers = headers
    headers.add(name: "Content-Type", value: "application/x-ndjson")
    return HTTPResponse(
      status: .ok, headers: headers,
      body: .stream { stream in
        var text = JSONText()
        while true {
          let values = try await next()
          for value in values {
            JSONOutput.append(value, to: &text)
            text.endLine()
            if text.bytes.count >= 32 << 10 {
              try await stream.write(ByteBuffer(bytes: text.bytes))
              text.removeAll()
            }
          }
          if !text.bytes.isEmpty { try await stream.write(ByteBuffer(bytes: text.bytes)) }
          text.removeAll()
          if values.isEmpty { break }
        }
      })
  }

  static func lines<Value: Encodable & Sendable>(_ values: [Value], headers: HTTPHeaders = [:]) -> HTTPResponse {
    let once = Once(values)
    return .lines(headers: headers) { once.take() }
  }

  static func failure(_ error: RequestError) -> HTTPResponse {
    var response = HTTPResponse.failure(error, HTTPResponseStatus(error.kind))
    // RFC 9110, 11.6.1.
    if error.kind == .unauthenticated { response.headers.add(name: "WWW-Authenticate", value: "Bearer") }
    return response
  }

  static func failure(_ error: RequestError, _ status: HTTPResponseStatus) -> HTTPResponse {
    var problem = ErrorReply(error: error)
    problem.title = status.reasonPhrase
    problem.status = Int(status.code)
    problem.detail = error.description
    var response = HTTPResponse.json(problem, status)
    response.headers.replaceOrAdd(name: "Content-Type", value: "application/problem+json")
    return response
  }
}

extension HTTPResponseStatus {
  init(_ kind: RequestError.Kind) {
    self =
      switch kind {
      case .invalid: .badRequest
      case .notPermitted: .forbidden
      case .rejected: .conflict
      case .failed, .notRunning: .internalServerError
      case .deadline: .gatewayTimeout
      case .unauthenticated: .unauthorized
      case .tooMany: .tooManyRequests
      case .notFound: .notFound
      case .misdirected: .misdirectedRequest
      }
  }
}

extension HTTPFailures {
  /// The same shape as every other error's.
  static let control = HTTPFailures(
    badRequest: .failure(RequestError(.invalid, "this is no HTTP request"), .badRequest),
    notFound: .failure(RequestError(.invalid, "no such endpoint"), .notFound),
    timeout: .failure(RequestError(.deadline, "the request took too long to arrive"), .requestTimeout),
    full: .failure(RequestError(.failed, "too many connections", remedy: "try again later"), .serviceUnavailable),
    tooLarge: { limit in
      .failure(RequestError(.invalid, "the request is larger than \(limit) bytes"), .payloadTooLarge)
    },
    notAllowed: { methods in
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var response = HTTPResponse.failure(
        RequestError(.invalid, "this endpoint does not have this method; it has \(allowed)"), .methodNotAllowed)
      response.headers.add(name: "Allow", value: allowed)
      return response
    })
}
