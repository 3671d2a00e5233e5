internal import Model
internal import Settings
internal import System

/// A mail's header and body (RFC 5322), in ASCII: the header's words encoded (RFC 2047), the body quoted-printable (RFC 2045).
struct MailText {
  let from: String
  private let header: [String]
  /// In ASCII.
  private let body: [String]

  init(_ message: Message, _ settings: MailSettings, now: Instant = SystemClock.now()) {
    let text = settings.body.map { message.render($0, escaping: .none) } ?? message.text(limit: 200_000)
    self.init(
      settings, title: message.title, host: message.host, key: "\(message.key).\(message.output)", now: now,
      content: ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"],
      body: Self.quotedPrintable(text.hasSuffix("\n") ? text : text + "\n"))
  }

  /// - Parameters:
  ///   - key: the same for a mail that is sent again.
  ///   - content: the header's lines about the body.
  init(
    _ settings: MailSettings, title: String, host: String, key: String, now: Instant, content: [String], body: [String]
  ) {
    let domain = Self.domain(host)
    from = settings.from ?? "bailiff@\(domain)"
    header =
      [
        "From: Bailiff <\(from)>", "To: " + settings.to.joined(separator: ",\n "),
        "Subject: \(Self.encodedWords(title))", "Date: \(Self.date(now))", "Message-ID: <\(key)@\(domain)>",
        "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
      ] + content
    self.body = body
  }

  /// Of the whole mail.
  var lines: [String] { header + [""] + body }

  /// A host's name as mail has it; one without a dot is none that others know.
  static func domain(_ host: String) -> String {
    let plain = host.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."): true
      default: false
      }
    }
    return plain && !host.isEmpty ? host : "localhost"
  }

  /// `Sat, 28 Nov 2026 15:24:01 +0100`
  static func date(_ now: Instant, offset: Int? = nil) -> String {
    let offset = offset ?? TimeZoneRules.local.offset(at: now)
    let time = CivilTime(now, offset: offset)
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let day = CivilTime.days(year: time.year, month: time.month, day: time.day)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let zone = (offset < 0 ? "-" : "+") + two(abs(offset) / 3600) + two(abs(offset) / 60 % 60)
    return "\(days[day % 7]), \(time.day) \(months[time.month - 1]) \(time.year) "
      + "\(two(time.hour)):\(two(time.minute)):\(two(time.second)) \(zone)"
  }

  /// Short ASCII as it is, anything else in encoded words of at most 75 characters, a line each.
  static func encodedWords(_ text: String) -> String {
    let text = printable(String(text.prefix(300)))
    if text.utf8.count <= 60, text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }), !text.contains("=?") { return text }
    var words: [String] = []
    var word = ""
    for character in text {
      let encoded = character == " " ? "_" : character.utf8.map(encodedByte).joined()
      if word.utf8.count + encoded.utf8.count > 60 {
        words.append(word)
        word = ""
      }
      word += encoded
    }
    words.append(word)
    return words.map { "=?utf-8?q?\($0)?=" }.joined(separator: "\n ")
  }

  private static func encodedByte(_ byte: UInt8) -> String {
    switch byte {
    case 48...57, 65...90, 97...122: String(Unicode.Scalar(byte))
    default: hex(byte)
    }
  }

  private static func hex(_ byte: UInt8) -> String {
    "=" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }

  /// Lines of at most 76 characters (RFC 2045, 6.7), none of which begins with a dot.
  static func quotedPrintable(_ text: String) -> [String] {
    var lines: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var current = ""
      let bytes = Array(line.utf8)
      for (index, byte) in bytes.enumerated() {
        let isLast = index == bytes.count - 1
        let piece: String
        switch byte {
        case UInt8(ascii: "="): piece = "=3D"
        case UInt8(ascii: ".") where current.isEmpty: piece = "=2E"
        case UInt8(ascii: " "), 9: piece = isLast ? hex(byte) : String(Unicode.Scalar(byte))
        case 33...126: piece = String(Unicode.Scalar(byte))
        default: piece = hex(byte)
        }
        if current.utf8.count + piece.utf8.count > 75 {
          lines.append(current + "=")
          current = ""
          if piece == "." {
            current = "=2E"
            continue
          }
        }
        current += piece
      }
      lines.append(current)
    }
    // The text's last line end is the line's own.
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}
