internal import Model
public import Settings
internal import System

/// A file that goes with a mail, and what the mail says of it.
public struct MailedFile: Sendable {
  public var title: String
  /// A line each.
  public var text: [String]
  /// `report.pdf`, in letters, digits, `-` and `.`.
  public var name: String
  /// `application/pdf`
  public var type: String
  public var bytes: [UInt8]

  public init(title: String, text: [String], name: String, type: String, bytes: [UInt8]) {
    (self.title, self.text, self.name, self.type, self.bytes) = (title, text, name, type, bytes)
  }
}

extension Outputs {
  /// Sends a file at once, by an output of type mail.
  /// - Returns: what came back.
  /// - Throws: `OutputTestFailure` when it did not arrive; it may be tried again.
  public func send(_ file: MailedFile, by output: OutputSettings) throws(OutputTestFailure) -> String {
    guard case .mail(let settings) = output.destination, output.enabled else {
      throw OutputTestFailure(description: "output \(output.name) sends no mail")
    }
    let mail = Mail(settings)
    let text = MailText(file, settings, host: host)
    do { return try mail.send(text.lines, from: text.from, to: settings.to, host: host) } catch {
      throw OutputTestFailure(description: error.message)
    }
  }
}

extension MailText {
  /// A text with a file behind it (RFC 2046, 5.1.3).
  init(_ file: MailedFile, _ settings: MailSettings, host: String, now: Instant = SystemClock.now()) {
    let boundary = "bailiff-" + String(UInt64.random(in: .min ... .max), radix: 36)
    let key = String(UInt64.random(in: .min ... .max), radix: 36)
    var parts = ["--\(boundary)"]
    parts += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""]
    parts += Self.quotedPrintable(file.text.joined(separator: "\n") + "\n") + ["--\(boundary)"]
    parts += ["Content-Type: \(file.type); name=\"\(file.name)\"", "Content-Transfer-Encoding: base64"]
    parts += ["Content-Disposition: attachment; filename=\"\(file.name)\"", ""]
    parts += Self.base64(file.bytes) + ["--\(boundary)--"]
    self.init(
      settings, title: "\(host): \(file.title)", host: host, key: "\(key).report", now: now,
      content: ["Content-Type: multipart/mixed; boundary=\"\(boundary)\""], body: parts)
  }

  /// Lines of 76 characters (RFC 2045, 6.8).
  static func base64(_ bytes: [UInt8]) -> [String] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    return stride(from: 0, to: bytes.count, by: 57).map { start in
      var line: [UInt8] = []
      let end = min(start + 57, bytes.count)
      for i in stride(from: start, to: end, by: 3) {
        let (a, b, c) = (bytes[i], i + 1 < end ? bytes[i + 1] : 0, i + 2 < end ? bytes[i + 2] : 0)
        let group = UInt32(a) << 16 | UInt32(b) << 8 | UInt32(c)
        let letters = (0..<4).map { digits[Int(group >> UInt32(18 - 6 * $0) & 63)] }
        let kept = min(end - i, 3) + 1
        line += letters[..<kept] + [UInt8](repeating: UInt8(ascii: "="), count: 4 - kept)
      }
      return String(decoding: line, as: UTF8.self)
    }
  }
}
