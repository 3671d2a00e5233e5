package import NIOHTTP1

/// What the server says by itself, before any route is asked.
package struct HTTPFailures: Sendable {
  package var badRequest: HTTPResponse
  package var notFound: HTTPResponse
  package var timeout: HTTPResponse
  /// There are as many connections as there may be.
  package var full: HTTPResponse
  package var tooLarge: @Sendable (_ limit: Int) -> HTTPResponse
  package var notAllowed: @Sendable ([HTTPMethod]) -> HTTPResponse

  package init(
    badRequest: HTTPResponse, notFound: HTTPResponse, timeout: HTTPResponse, full: HTTPResponse,
    tooLarge: @escaping @Sendable (_ limit: Int) -> HTTPResponse,
    notAllowed: @escaping @Sendable ([HTTPMethod]) -> HTTPResponse
  ) {
    self.badRequest = badRequest
    self.notFound = notFound
    self.timeout = timeout
    self.full = full
    self.tooLarge = tooLarge
    self.notAllowed = notAllowed
  }
}
