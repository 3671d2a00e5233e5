internal import Model

/// What of a journal cursor tells an entry: the id of the sequence and the entry's number in it. `journalctl --cursor` and
/// `sd_journal_seek_cursor` find the entry by these two alone, so the rest (boot, clocks, a checksum) is not kept.
/// https://www.freedesktop.org/software/systemd/man/latest/sd_journal_get_cursor.html
struct JournalCursor: Equatable {
  /// `s=` and 32 hexadecimal digits. A cursor of another form is here whole.
  var journal: String
  var sequence: Int64

  /// `s=…;i=…` with anything behind. Nil for an empty cursor.
  init?(parsing text: borrowing Span<UInt8>) {
    guard text.count > 0 else { return nil }
    var digits = 0
    var number: UInt64 = 0
    let known =
      text.count > 37 && text[0] == UInt8(ascii: "s") && text[1] == UInt8(ascii: "=")
      && text[34] == UInt8(ascii: ";") && text[35] == UInt8(ascii: "i") && text[36] == UInt8(ascii: "=")
    if known {
      var i = 37
      while i < text.count, digits < 17, let digit = Self.hexadecimal(text[i]) {
        number = number << 4 | UInt64(digit)
        digits += 1
        i += 1
      }
    }
    let whole = !known || digits == 0 || digits > 15
    var bytes: [UInt8] = []
    for i in 0..<(whole ? text.count : 34) { bytes.append(text[i]) }
    journal = String(decoding: bytes, as: UTF8.self)
    sequence = whole ? -1 : Int64(truncatingIfNeeded: number)
  }

  init(journal: String, sequence: Int64) {
    self.journal = journal
    self.sequence = sequence
  }

  /// As `journalctl --cursor=` takes it.
  var text: String { sequence < 0 ? journal : "\(journal);i=\(String(sequence, radix: 16))" }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
