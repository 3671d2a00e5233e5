internal import Model

/// Makes a template's text of a line.
struct TemplateText {
  private(set) var text: [UInt8] = []
  private(set) var values: [Range<Int>] = []
  private(set) var stamp: Int?
  private(set) var zone: Int64 = 0

  /// Shorter lines gain nothing.
  static let shortest = 24

  /// Nil where the line cannot be put together again byte for byte, or that does not pay. The line is ASCII or UTF-8.
  init?(
    _ line: borrowing Span<UInt8>, time: Int64, address: borrowing Span<UInt8>, user: borrowing Span<UInt8>
  ) {
    guard line.count >= Self.shortest else { return nil }
    text.reserveCapacity(line.count)
    var addressLeft = address.count > 0
    var userLeft = user.count > 0
    var i = 0
    while i < line.count {
      let byte = line[i]
      guard byte >= 0x20 || byte == 0x09 else { return nil }
      guard i == 0 || !Self.isOfWord(line[i - 1]) else {
        text.append(byte)
        i += 1
        continue
      }
      if stamp == nil, let end = findStamp(line, at: i, time: time) {
        text.append(Template.Mark.stamp)
        i = end
        // The zone that follows is the same for all of them.
        while i < line.count, LineWords.isJoint(line[i]) || LineWords.isDigit(line[i]) {
          text.append(line[i])
          i += 1
        }
      } else if addressLeft, Self.isWhole(address, in: line, at: i) {
        text.append(Template.Mark.address)
        i += address.count
        addressLeft = false
      } else if userLeft, Self.isWhole(user, in: line, at: i) {
        text.append(Template.Mark.user)
        i += user.count
        userLeft = false
      } else {
        let end = values.count < Template.Mark.values ? LineWords.valueEnd(line, from: i) : i
        if end > i {
          text.append(Template.Mark.value + UInt8(values.count))
          values.append(i..<end)
          i = end
        } else {
          text.append(byte)
          i += 1
        }
      }
    }
  }

  /// Where a stamp ends that begins here.
  private mutating func findStamp(_ line: borrowing Span<UInt8>, at start: Int, time: Int64) -> Int? {
    guard time >= 0 else { return nil }
    for (number, form) in StampForm.all.enumerated() {
      guard let zone = form.zone(of: time, in: line, at: start) else { continue }
      stamp = number
      self.zone = zone
      var text: [UInt8] = []
      form.write(time, zone: zone, to: &text)
      return start + text.count
    }
    return nil
  }

  private static func isWhole(_ text: borrowing Span<UInt8>, in line: borrowing Span<UInt8>, at start: Int) -> Bool {
    let end = start + text.count
    guard end <= line.count, line.alike(from: start, text, from: 0) >= text.count else { return false }
    for i in 0..<text.count where text[i] < 0x20 { return false }
    return end == line.count || !isOfWord(line[end])
  }

  private static func isOfWord(_ byte: UInt8) -> Bool { LineWords.isWord(byte) || byte >= 0x80 }
}
