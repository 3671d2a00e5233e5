internal import Model

/// What failures of one kind have in common: where they come from, what they weigh, and the words of their lines.
///
/// `Nov 21 05:24:01 web sshd[812]: Failed password for root from 192.0.2.7 port 4711 ssh2` has the text `␃ web sshd[␐]: Failed
/// password for ␂ from ␁ port ␑ ssh2` and the values 812 and 4711: time, user and address are the failure's own. A text is
/// stored once, so a line costs a fifth, and plain SQL can still put it together (the view `failures`), which no compressed block
/// would allow.
struct Template: Sendable {
  enum Mark {
    static let address: UInt8 = 0x01
    static let user: UInt8 = 0x02
    static let stamp: UInt8 = 0x03
    /// The first value's mark; the n-th is `value + n`.
    static let value: UInt8 = 0x10
    static let values = 16
  }

  /// What tells templates apart.
  struct Key: Hashable, Sendable {
    /// The number of an `Origin`.
    var origin: UInt32
    /// What each failure counts against `maxretry`.
    var weight: UInt32 = 1
    /// Of a web application firewall; mostly none.
    var rule: [UInt8] = []
    /// Nil: lines have nothing in common and are stored whole.
    var text: [UInt8]?
    /// How the stamp is written, an index of `StampForm.all`, and how far clocks were ahead of UTC; where the text has one.
    var stamp: Int?
    var zone: Int64 = 0
  }

  enum Piece: Sendable {
    case literal(Range<Int>)
    case address, user, stamp, value
  }

  let number: Int64
  let key: Key
  let pieces: [Piece]
  /// The first 16 bytes of SHA-256 over the key and what its origin means: batches hash it, so neither can be changed.
  let digest: [UInt8]

  init(_ key: Key, number: Int64, origin: Origin) {
    self.key = key
    self.number = number
    pieces = Self.pieces(of: key.text ?? [])
    var writer = ByteWriter()
    writer.integer(origin.key)
    writer.integer(key.weight)
    writer.bytes(key.rule)
    writer.optional(key.stamp.map { Int64($0) })
    writer.integer(key.zone)
    writer.bytes(key.text ?? [])
    writer.integer(UInt8(key.text == nil ? 0 : 1))
    digest = Array(SHA256.hash(writer.bytes).prefix(16))
  }

  var stampForm: StampForm? { key.stamp.map { StampForm.all[$0] } }

  private static func pieces(of text: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    var start = 0
    for (i, byte) in text.enumerated() {
      let mark: Piece
      switch byte {
      case Mark.address: mark = .address
      case Mark.user: mark = .user
      case Mark.stamp: mark = .stamp
      case Mark.value..<Mark.value + UInt8(Mark.values): mark = .value
      default: continue
      }
      if start < i { pieces.append(.literal(start..<i)) }
      pieces.append(mark)
      start = i + 1
    }
    if start < text.count { pieces.append(.literal(start..<text.count)) }
    return pieces
  }

  /// Does the line have these words? Its values are appended to `values`, as ranges of the line. `join` makes the same bytes again
  /// from what this lets through.
  func match(
    _ line: borrowing Span<UInt8>, address: borrowing Span<UInt8>, user: borrowing Span<UInt8>,
    stamp: borrowing Span<UInt8>, values: inout [Range<Int>]
  ) -> Bool {
    guard let text = key.text else { return false }
    var at = 0
    for piece in pieces {
      switch piece {
      case .literal(let range):
        guard line.count &- at >= range.count else { return false }
        guard line.alike(from: at, text.span.extracting(range), from: 0) == range.count else { return false }
        at &+= range.count
      case .address:
        guard Self.skip(address, in: line, &at) else { return false }
      case .user:
        guard Self.skip(user, in: line, &at) else { return false }
      case .stamp:
        guard Self.skip(stamp, in: line, &at) else { return false }
      case .value:
        let end = LineWords.valueEnd(line, from: at)
        guard end > at else { return false }
        values.append(at..<end)
        at = end
      }
    }
    return at == line.count
  }

  private static func skip(_ text: borrowing Span<UInt8>, in line: borrowing Span<UInt8>, _ at: inout Int) -> Bool {
    let count = text.count
    guard count > 0, line.count &- at >= count, line.alike(from: at, text, from: 0) >= count else { return false }
    at &+= count
    return true
  }

  /// Puts a line together; `value` appends the next one.
  func join(
    address: borrowing Span<UInt8>, user: borrowing Span<UInt8>, stamp: borrowing Span<UInt8>, to line: inout [UInt8],
    value: (inout [UInt8]) -> Void
  ) {
    guard let text = key.text else { return }
    for piece in pieces {
      switch piece {
      case .literal(let range): line += text[range]
      case .address: line.append(address)
      case .user: line.append(user)
      case .stamp: line.append(stamp)
      case .value: value(&line)
      }
    }
  }
}

/// Words of lines.
enum LineWords {
  /// Where the value ends that begins at `start`: a word that begins with a digit, with `.`, `:`, `+` and `-` inside. `start`
  /// itself where there is none. What is not ASCII ends it.
  static func valueEnd(_ line: borrowing Span<UInt8>, from start: Int) -> Int {
    guard start < line.count, isDigit(line[start]) else { return start }
    var end = start &+ 1
    while end < line.count, isWord(line[end]) || isJoint(line[end]) { end &+= 1 }
    // A full stop or colon at the end belongs to the sentence.
    while isJoint(line[end &- 1]) { end &-= 1 }
    return end
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  static func isWord(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 }

  static func isJoint(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
