import Curl
import Foundation
import TestSupport
import Testing

/// Requests to a server that fails in every way that servers fail in.
struct HTTPTransferTests {
  @Test func anAnswerComesBackWhole() throws {
    let receiver = try Receiver("http_receiver.py")
    var session = try CurlSession()
    var transfer = HTTPTransfer("POST", "http://127.0.0.1:\(receiver.port)/hook?a=b", body: Array("{\"x\":\"ü\"}".utf8))
    transfer.headers = [("Content-Type", "application/json"), ("X-Empty", "")]
    let answer = try session.perform(transfer)
    #expect(answer.status == 200)
    #expect(String(decoding: answer.body, as: UTF8.self) == #"{"said": "ok"}"#)
    #expect(answer.header("content-length") == "14")
    let seen = try #require(receiver.seen.first)
    #expect(seen["method"] as? String == "POST" && seen["path"] as? String == "/hook?a=b")
    #expect(seen["body"] as? String == #"{"x":"ü"}"#)
    let headers = try #require(seen["headers"] as? [String: String])
    #expect(headers["content-type"] == "application/json" && headers["x-empty"] == "" && headers["expect"] == nil)

    // The session is used again, and what was set for the last transfer is forgotten.
    let second = try session.perform(HTTPTransfer("GET", "http://127.0.0.1:\(receiver.port)/"))
    #expect(second.status == 200)
    #expect(receiver.seen.last?["method"] as? String == "GET" && receiver.seen.last?["body"] as? String == "")
  }

  static func error(_ transfer: HTTPTransfer) -> TransferError.Kind? {
    do throws(TransferError) {
      var session = try CurlSession()
      _ = try session.perform(transfer)
      return nil
    } catch { return error.kind }
  }

  @Test func whatGoesWrongIsToldApart() throws {
    let receiver = try Receiver("http_receiver.py")
    let url = "http://127.0.0.1:\(receiver.port)/"
    try receiver.answer("cut", "hang", "big 100000", "redirect \(url)elsewhere", "500")
    var transfer = HTTPTransfer("POST", url, body: [1])
    transfer.options.timeout = 1
    #expect(Self.error(transfer) == .interrupted)
    #expect(Self.error(transfer) == .timeout)
    transfer.options.timeout = 30
    #expect(Self.error(transfer) == .tooLarge)
    var session = try CurlSession()
    // A redirect is an answer, and not followed.
    #expect(try session.perform(transfer).status == 302)
    #expect(try session.perform(transfer).status == 500)
    #expect(receiver.seen.count == 5)
    #expect(Self.error(HTTPTransfer("GET", "http://127.0.0.1:1/")) == .connect)
    #expect(Self.error(HTTPTransfer("GET", "http://no-such-host.invalid/")) == .resolve)
    #expect(Self.error(HTTPTransfer("GET", "file:///etc/passwd")) == .invalid)
    #expect(Self.error(HTTPTransfer("GET", "not a url")) == .invalid)
  }

  /// Whose certificate does not fit is sent nothing.
  @Test func certificatesAreChecked() throws {
    let certificates = Receiver.certificates
    let receiver = try Receiver("http_receiver.py", ["\(certificates)/localhost.pem"])
    let other = try Receiver("http_receiver.py", ["\(certificates)/other.pem"])
    let secret = Array("secret".utf8)
    // Nobody trusts trustme, unless told so.
    #expect(Self.error(HTTPTransfer("POST", "https://localhost:\(receiver.port)/", body: secret)) == .tls)
    var trusting = HTTPTransfer("POST", "https://localhost:\(other.port)/", body: secret)
    trusting.options.authority = "\(certificates)/ca.pem"
    #expect(Self.error(trusting) == .tls, "the certificate is another host's")
    #expect(receiver.seen.isEmpty && other.seen.isEmpty)
    trusting.url = "https://localhost:\(receiver.port)/"
    #expect(Self.error(trusting) == nil)
    #expect(receiver.seen.count == 1)

    // From https nothing leads to http.
    let plain = try Receiver("http_receiver.py")
    try receiver.answer("redirect http://127.0.0.1:\(plain.port)/")
    trusting.redirects = 5
    #expect(Self.error(trusting) != nil)
    #expect(plain.seen.isEmpty)
  }
}
