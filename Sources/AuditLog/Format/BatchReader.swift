internal import Model

/// A row of a batch, taken apart as far as questions about many rows need it. Texts stay where they are, in the batch's bytes.
struct BatchRow {
  /// Its text, brackets included.
  var text = 0..<0
  var time: Int64 = 0
  var place: Int64 = 0
  /// Nil: a name.
  var address: Address?
  var name = 0..<0
  /// None, the number of one of the batch's, or a text.
  var userNumber = 0
  var user = 0..<0
  var template: Int64 = 0
  /// What follows the template, up to the object or the end: values, or the line.
  var values = 0..<0
  /// The object's members, where there is one.
  var count: UInt32 = 1
  var last: (time: Int64, place: Int64)?
  var lastLine = 0..<0
  var isRaw = false
}

/// Reads the rows that `BatchText` wrote, one at a time. Nil at the end, and for bytes that are none of ours, since anybody may
/// have changed the file.
struct BatchReader {
  private let base: (time: Int64, place: Int64)
  private let unit: Int64
  private var at = 0
  private(set) var index = -1

  init(base: (time: Int64, place: Int64), unit: Int64) {
    self.base = base
    self.unit = unit
  }

  /// Is nothing left but the bracket at the end?
  func isAtEnd(_ bytes: borrowing Span<UInt8>) -> Bool { at == bytes.count - 1 && bytes[at] == UInt8(ascii: "]") }

  mutating func next(_ bytes: borrowing Span<UInt8>) -> BatchRow? {
    guard at < bytes.count, bytes[at] == UInt8(ascii: index < 0 ? "[" : ",") else { return nil }
    var row = BatchRow()
    let start = at &+ 1
    at = start
    guard skip(UInt8(ascii: "["), bytes), let time = integer(bytes), skip(UInt8(ascii: ","), bytes),
      let place = integer(bytes), skip(UInt8(ascii: ","), bytes), readID(&row, bytes), skip(UInt8(ascii: ","), bytes),
      readUser(&row, bytes), skip(UInt8(ascii: ","), bytes), let template = integer(bytes)
    else { return nil }
    row.time = base.time &+ time &* unit
    row.place = base.place &+ place
    row.template = template
    let values = at
    while at < bytes.count, bytes[at] == UInt8(ascii: ",") {
      guard at &+ 1 < bytes.count, bytes[at &+ 1] != UInt8(ascii: "{") else { break }
      at &+= 1
      guard skipValue(bytes) else { return nil }
    }
    row.values = values..<at
    if at < bytes.count, bytes[at] == UInt8(ascii: ",") { guard readObject(&row, bytes) else { return nil } }
    guard skip(UInt8(ascii: "]"), bytes) else { return nil }
    row.text = start..<at
    index &+= 1
    return row
  }

  private mutating func readID(_ row: inout BatchRow, _ bytes: borrowing Span<UInt8>) -> Bool {
    guard at < bytes.count else { return false }
    guard bytes[at] == UInt8(ascii: "\"") else {
      guard let v4 = integer(bytes), let bits = UInt32(exactly: v4) else { return false }
      row.address = Address(ipv4: bits)
      return true
    }
    guard let text = string(bytes) else { return false }
    if text.count > 0, bytes[text.lowerBound] == UInt8(ascii: "=") {
      row.name = text.lowerBound &+ 1..<text.upperBound
      return true
    }
    row.address = Address(parsing: bytes.extracting(text))
    return row.address != nil
  }

  private mutating func readUser(_ row: inout BatchRow, _ bytes: borrowing Span<UInt8>) -> Bool {
    guard at < bytes.count else { return false }
    if bytes[at] == UInt8(ascii: "\"") {
      guard let text = string(bytes) else { return false }
      row.user = text
      return true
    }
    guard let number = integer(bytes), number >= 0, number < 1 << 16 else { return false }
    row.userNumber = Int(number)
    return true
  }

  private mutating func readObject(_ row: inout BatchRow, _ bytes: borrowing Span<UInt8>) -> Bool {
    at &+= 2
    var time: Int64?
    var place: Int64?
    while true {
      guard let name = string(bytes), name.count > 0, skip(UInt8(ascii: ":"), bytes) else { return false }
      if bytes[name.lowerBound] == UInt8(ascii: "l") {
        guard let text = string(bytes) else { return false }
        row.lastLine = text
      } else {
        guard let value = integer(bytes) else { return false }
        switch bytes[name.lowerBound] {
        case UInt8(ascii: "n"): row.count = UInt32(clamping: value)
        case UInt8(ascii: "t"): time = base.time &+ value &* unit
        case UInt8(ascii: "p"): place = base.place &+ value
        case UInt8(ascii: "r"): row.isRaw = true
        default: return false
        }
      }
      guard !skip(UInt8(ascii: "}"), bytes) else { break }
      guard skip(UInt8(ascii: ","), bytes) else { return false }
    }
    if let time, let place { row.last = (time, place) }
    return true
  }

  // MARK: Bytes

  private mutating func skip(_ byte: UInt8, _ bytes: borrowing Span<UInt8>) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at &+= 1
    return true
  }

  private mutating func integer(_ bytes: borrowing Span<UInt8>) -> Int64? {
    let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
    if isNegative { at &+= 1 }
    let start = at
    var value: Int64 = 0
    while at < bytes.count, at &- start < 18, LineWords.isDigit(bytes[at]) {
      value = value &* 10 &+ Int64(bytes[at] &- UInt8(ascii: "0"))
      at &+= 1
    }
    guard at > start else { return nil }
    return isNegative ? -value : value
  }

  /// What is between the quotes.
  private mutating func string(_ bytes: borrowing Span<UInt8>) -> Range<Int>? {
    guard skip(UInt8(ascii: "\""), bytes) else { return nil }
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at &+= bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    guard at < bytes.count else { return nil }
    at &+= 1
    return start..<at &- 1
  }

  private mutating func skipValue(_ bytes: borrowing Span<UInt8>) -> Bool {
    guard at < bytes.count else { return false }
    return bytes[at] == UInt8(ascii: "\"") ? string(bytes) != nil : integer(bytes) != nil
  }
}

/// The values of a row, one after the other, as they were in the line.
struct ValueReader {
  private var at: Int
  private let end: Int

  init(_ values: Range<Int>) {
    at = values.lowerBound
    end = values.upperBound
  }

  /// False when there is none left.
  mutating func next(_ bytes: borrowing Span<UInt8>, to text: inout [UInt8]) -> Bool {
    guard at < end else { return false }
    at &+= 1
    guard bytes[at] == UInt8(ascii: "\"") else {
      let start = at
      while at < end, bytes[at] != UInt8(ascii: ",") { at &+= 1 }
      text.append(bytes.extracting(start..<at))
      return true
    }
    let start = at &+ 1
    at = start
    while at < end, bytes[at] != UInt8(ascii: "\"") { at &+= bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
    let isRead = JSONText.unescape(bytes.extracting(start..<min(at, end)), to: &text)
    at &+= 1
    return isRead
  }
}
