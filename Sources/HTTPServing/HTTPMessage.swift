package import Model
package import NIOCore
package import NIOHTTP1

/// A request, received whole.
package struct HTTPRequest: Sendable {
  package var method: HTTPMethod
  /// The target's path between its slashes, percent-decoded: `["v1", "bans"]`.
  package var path: [String]
  package var query: [(name: String, value: String)]
  package var headers: HTTPHeaders
  package var body = ByteBuffer()
  package var peer: HTTPPeer

  /// The first query parameter of this name.
  package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// Who is at the other end of a connection.
package enum HTTPPeer: Sendable {
  /// A process of this machine on the Unix socket; nil where the kernel does not say which.
  case local(PeerCredentials?)
  case remote(Address)
}

/// What is sent back.
package struct HTTPResponse: Sendable {
  package enum Body: Sendable {
    case bytes(ByteBuffer)
    /// Written piece by piece; the response ends when this returns, and breaks off, so that the client can tell, when it throws.
    /// `endsWithClient`: is it over as soon as the client has closed its side?
    case stream(endsWithClient: Bool = false, @Sendable (ResponseStream) async throws -> Void)
  }

  package var status: HTTPResponseStatus
  package var headers: HTTPHeaders
  package var body: Body

  package init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: Body) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// Why a request cannot be read as one.
package struct BadTarget: Error {}

extension HTTPRequest {
  /// - Throws: for a target that is no absolute path or URL, or holds what is no UTF-8.
  init(_ head: HTTPRequestHead, peer: HTTPPeer) throws(BadTarget) {
    let (path, query) = try Self.target(head.uri)
    self.init(method: head.method, path: path, query: query, headers: head.headers, peer: peer)
  }

  /// RFC 9112, 3.2: `/v1/bans?jail=sshd`, or the same behind `http://host`.
  package static func target(_ uri: String) throws(BadTarget) -> (
    path: [String], query: [(name: String, value: String)]
  ) {
    var rest = Substring(uri)
    if let scheme = rest.firstRange(of: "://"), !rest.hasPrefix("/") {
      rest = rest[scheme.upperBound...]
      rest = rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
    }
    guard rest.hasPrefix("/") else { throw BadTarget() }
    rest = rest.prefix { $0 != "#" }
    let parts = rest.dropFirst().split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var path: [String] = []
    for segment in parts[0].split(separator: "/") { path.append(try decode(segment)) }
    var query: [(name: String, value: String)] = []
    if parts.count > 1 {
      for pair in parts[1].split(separator: "&") {
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        query.append((try decode(sides[0], plus: true), sides.count > 1 ? try decode(sides[1], plus: true) : ""))
      }
    }
    return (path, query)
  }

  /// Percent-decoding (RFC 3986, 2.1). `plus`: a `+` is a blank, as forms write it.
  private static func decode(_ text: Substring, plus: Bool = false) throws(BadTarget) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.utf8.count == 2, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
          let value = UInt8(digits, radix: 16), value != 0
        else { throw BadTarget() }
        bytes.append(value)
        rest = rest.dropFirst(2)
      case UInt8(ascii: "+") where plus: bytes.append(UInt8(ascii: " "))
      default: bytes.append(byte)
      }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else { throw BadTarget() }
    return decoded
  }
}
