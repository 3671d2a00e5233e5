import Curl
import Foundation
import TestSupport
import Testing

/// Mail to aiosmtpd, with certificates by trustme.
struct MailTransferTests {
  static let text = "Subject: x\r\n\r\none\r\n.\r\n..two\r\n"

  static func mail(_ receiver: Receiver, _ security: MailTransfer.Security, to recipients: [String] = ["a@example.org"])
    -> MailTransfer
  {
    var mail = MailTransfer(
      host: "localhost", port: receiver.port, security: security, helo: "web.example.org",
      sender: "bailiff@example.org",
      recipients: recipients, message: Array(text.utf8))
    mail.options.authority = "\(Receiver.certificates)/ca.pem"
    return mail
  }

  static func error(_ mail: MailTransfer) -> TransferError.Kind? {
    do throws(TransferError) {
      var session = try CurlSession()
      try session.perform(mail)
      return nil
    } catch { return error.kind }
  }

  @Test(arguments: [MailTransfer.Security.tls, .startTLS]) func bySecureWays(security: MailTransfer.Security) throws {
    let receiver = try Receiver(
      "smtp_receiver.py", [security.rawValue, "\(Receiver.certificates)/localhost.pem", "auth"])
    var mail = Self.mail(receiver, security, to: ["a@example.org", "b@example.org"])
    mail.login = ("alice", "correct horse")
    #expect(Self.error(mail) == nil)
    #expect(receiver.seen.count == 2)
    #expect(receiver.seen.first?["ok"] as? Bool == true && receiver.seen.first?["tls"] as? Bool == true)
    let got = try #require(receiver.seen.last)
    #expect(got["recipients"] as? [String] == ["a@example.org", "b@example.org"])
    #expect(got["sender"] as? String == "bailiff@example.org" && got["helo"] as? String == "web.example.org")
    // Lines that begin with a dot arrive as they were.
    #expect(got["text"] as? String == Self.text)

    mail.login = ("alice", "wrong")
    #expect(Self.error(mail) == .refused(535))
    mail.options.authority = nil
    #expect(Self.error(mail) == .tls, "nobody but these tests trusts the certificate")
    #expect(receiver.seen.count == 3)
  }

  /// A server, or somebody on the way to it, that offers no STARTTLS gets neither mail nor password.
  @Test func nothingGoesInTheClear() throws {
    let receiver = try Receiver("smtp_receiver.py", ["none", "auth"])
    var mail = Self.mail(receiver, .startTLS)
    mail.login = ("alice", "correct horse")
    #expect(Self.error(mail) == .tls)
    #expect(receiver.seen.isEmpty)
    let other = try Receiver("smtp_receiver.py", ["starttls", "\(Receiver.certificates)/other.pem", "auth"])
    mail.port = other.port
    #expect(Self.error(mail) == .tls, "the certificate is another host's")
    #expect(other.seen.isEmpty)
  }

  @Test func refusalsHaveTheirCodes() throws {
    let receiver = try Receiver("smtp_receiver.py")
    #expect(Self.error(Self.mail(receiver, .none)) == nil)
    #expect(receiver.seen.first?["tls"] as? Bool == false)
    #expect(Self.error(Self.mail(receiver, .none, to: ["refuse@example.org"])) == .refused(550))
    #expect(Self.error(Self.mail(receiver, .none, to: ["later@example.org"])) == .refused(451))
  }
}
