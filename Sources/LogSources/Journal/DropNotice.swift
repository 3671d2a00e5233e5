/// What journald writes when a service logged faster than it may (RateLimitIntervalSec=, journald.conf(5)): how many
/// messages of which unit it dropped. They are lost to everybody.
struct DropNotice {
  /// `Suppressed 1234 messages from ssh.service`
  var text: String
  var unit: Substring

  /// SD_MESSAGE_JOURNAL_DROPPED (sd-messages.h).
  private static let id = "a596d6fe7bfa4994828e72309e95d61e"
  /// `_TRANSPORT=driver` is journald itself; nobody else can write that.
  static let match = ["MESSAGE_ID=\(id)", "_TRANSPORT=driver"]
  private static let start = Array("Suppressed ".utf8)

  /// Nil for every other entry; `buffer` begins with its message. Only one that begins as a notice does is asked for more.
  init?(_ buffer: LineBuffer, length: Int, _ entry: JournalEntry) {
    guard length > Self.start.count, length < 512 else { return nil }
    for i in Self.start.indices where buffer[i] != Self.start[i] { return nil }
    guard entry.text(.messageID) == Self.id, entry.text(.transport) == "driver" else { return nil }
    text = String(decoding: (0..<length).map { buffer[$0] }, as: UTF8.self)
    unit = text.split(separator: " ").last ?? ""
  }
}
