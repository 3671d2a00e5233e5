import FoundationEssentials
internal import Model

/// A journal entry as `journalctl -o json` prints it (systemd.journal-fields(7)).
struct ExportedEntry: Decodable {
  private var host: String?
  private var identifier: String?
  private var pid: String?
  private var microseconds: String
  private var message: [UInt8]

  private enum CodingKeys: String, CodingKey {
    case host = "_HOSTNAME"
    case identifier = "SYSLOG_IDENTIFIER"
    case pid = "_PID"
    case microseconds = "__REALTIME_TIMESTAMP"
    case message = "MESSAGE"
  }

  /// Nil when the line is something else.
  init?(_ line: borrowing Span<UInt8>) {
    // Safe: the bytes are copied during the call.
    let bytes = unsafe line.withUnsafeBufferPointer { unsafe Data($0) }
    guard let entry = try? JSONDecoder().decode(Self.self, from: bytes) else { return nil }
    self = entry
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    microseconds = try values.decode(String.self, forKey: .microseconds)
    host = try? values.decode(String.self, forKey: .host)
    identifier = try? values.decode(String.self, forKey: .identifier)
    pid = try? values.decode(String.self, forKey: .pid)
    // journalctl writes what is no text as an array of numbers.
    if let text = try? values.decode(String.self, forKey: .message) {
      message = Array(text.utf8)
    } else {
      message = try values.decode([UInt8].self, forKey: .message)
    }
  }

  /// `2026-11-21T05:24:01.123456Z web sshd[812]: MESSAGE`, on one line, whatever the message holds.
  func line(hasTime: Bool) -> [UInt8] {
    let time = hasTime ? Int64(microseconds).map { Instant(microseconds: $0).rfc3339() + " " } ?? "" : ""
    let tag = (identifier ?? "unknown").split(separator: " ").joined(separator: "_")
    let header = "\(time)\(host ?? "localhost") \(tag)\(pid.map { "[\($0)]" } ?? ""): "
    return Array(header.utf8) + message.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
  }
}
