internal import Model
internal import SQLite

/// A line without what changes from one to the next. `Nov 21 05:24:01 web sshd[812]: Failed password for root from
/// 192.0.2.7 port 4711 ssh2` is the shape `Nov ␐ ␑ web sshd[␒]: Failed password for ␂ from ␁ port ␓ ssh2` and the
/// variables `[21,"05:24:01",812,4711]`; address and user are in the row already. Shapes are stored once, so a line costs
/// a third, and plain SQL can still put it together (the view `failures` does), which no compressed block would allow.
enum LineShape {
  static let address: UInt8 = 0x01
  static let user: UInt8 = 0x02
  /// The first variable's mark; the n-th is `variable + n`.
  static let variable: UInt8 = 0x10
  static let variables = 16
  /// Shorter lines gain nothing.
  static let minimum = 24

  /// Splits a line. Nil where that cannot be undone byte for byte, or does not pay. `shape` and `values` are overwritten;
  /// `values` becomes a JSON array.
  static func split(
    _ line: borrowing Span<UInt8>, address: [UInt8], user: borrowing Span<UInt8>, shape: inout [UInt8],
    values: inout [UInt8]
  ) -> Bool {
    guard line.count >= minimum, UTF8Check.isText(line) else { return false }
    shape.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    values.append(UInt8(ascii: "["))
    var count = 0
    var addressLeft = !address.isEmpty
    var userLeft = user.count > 0
    var i = 0
    while i < line.count {
      let byte = line[i]
      guard byte >= 0x20 || byte == 0x09 else { return false }
      let boundary = i == 0 || !isWord(line[i - 1])
      if boundary {
        if addressLeft, byte == address[0], matches(line, i, address.span) {
          shape.append(Self.address)
          i += address.count
          addressLeft = false
          continue
        }
        if userLeft, byte == user[0], matches(line, i, user) {
          shape.append(Self.user)
          i += user.count
          userLeft = false
          continue
        }
        if isDigit(byte), count < variables {
          var end = i + 1
          while end < line.count, isWord(line[end]) || isJoint(line[end]) { end += 1 }
          // A full stop or colon at the end belongs to the sentence.
          while isJoint(line[end - 1]) { end -= 1 }
          append(line.extracting(i..<end), to: &values, first: count == 0)
          shape.append(variable + UInt8(count))
          count += 1
          i = end
          continue
        }
      }
      shape.append(byte)
      i += 1
    }
    values.append(UInt8(ascii: "]"))
    return true
  }

  /// Puts a line together again.
  static func join(_ shape: [UInt8], address: [UInt8], user: [UInt8], values: [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(shape.count + values.count + user.count)
    var at = 1  // behind the bracket; variables come in order
    for byte in shape {
      switch byte {
      case Self.address: line += address
      case Self.user: line += user
      case variable..<variable + UInt8(variables):
        while at < values.count, values[at] != UInt8(ascii: ","), values[at] != UInt8(ascii: "]") {
          if values[at] != UInt8(ascii: "\"") { line.append(values[at]) }
          at += 1
        }
        at += 1
      default: line.append(byte)
      }
    }
    return line
  }

  /// As a JSON number where that gives the same digits again, else as a string; no byte of a variable needs escaping.
  private static func append(_ value: borrowing Span<UInt8>, to values: inout [UInt8], first: Bool) {
    if !first { values.append(UInt8(ascii: ",")) }
    var number = value.count <= 15 && (value[0] != UInt8(ascii: "0") || value.count == 1)
    for i in 0..<value.count where !isDigit(value[i]) { number = false }
    if !number { values.append(UInt8(ascii: "\"")) }
    for i in 0..<value.count { values.append(value[i]) }
    if !number { values.append(UInt8(ascii: "\"")) }
  }

  private static func matches(_ line: borrowing Span<UInt8>, _ at: Int, _ text: borrowing Span<UInt8>) -> Bool {
    guard line.count - at >= text.count else { return false }
    for i in 0..<text.count where line[at + i] != text[i] || text[i] < 0x20 { return false }
    let end = at + text.count
    return end == line.count || !isWord(line[end])
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte >= 0x80
  }

  private static func isJoint(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

/// The stored shapes. A line's shape is stored when it has been seen a few times, so that lines which are all different
/// (addresses of web pages) do not fill the table; and there is a limit, behind which lines are stored whole.
struct ShapeTable {
  static let limit = 16_384
  private static let sightings: UInt8 = 4
  private static let slots = 1 << 14

  private var numbers: [[UInt8]: Int64] = [:]
  private var seen: [UInt8] = []
  private var lines = 0

  mutating func load(_ db: Database) throws {
    numbers.removeAll(keepingCapacity: true)
    let rows = try db.rows("SELECT id, text FROM shape")
    while let row = try rows.next() { numbers[row[1]] = row[0] }
  }

  mutating func number(of shape: [UInt8], _ db: Database) throws -> Int64? {
    if let number = numbers[shape] { return number }
    guard numbers.count < Self.limit else { return nil }
    if seen.isEmpty { seen = [UInt8](repeating: 0, count: Self.slots) }
    lines += 1
    if lines % (Self.slots * 4) == 0 { for i in seen.indices { seen[i] = 0 } }
    let slot = Int(RecordSum.of(shape.span)) & (Self.slots - 1)
    guard seen[slot] >= Self.sightings - 1 else {
      seen[slot] += 1
      return nil
    }
    seen[slot] = 0
    let number = Int64(numbers.count) + 1
    try db.run("INSERT INTO shape (id, text) VALUES (?, ?)", number, String(decoding: shape, as: UTF8.self))
    numbers[shape] = number
    return number
  }
}
