internal import HTTPServing
internal import NIOCore
internal import NIOHTTP1

extension HTTPResponse {
  static func json(_ bytes: [UInt8], _ status: HTTPResponseStatus = .ok) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: ["Content-Type": "application/json; charset=utf-8"],
      body: .bytes(ByteBuffer(bytes: bytes)))
  }

  static func json(_ text: String, _ status: HTTPResponseStatus = .ok) -> HTTPResponse {
    json(Array(text.utf8), status)
  }
}
