/// The fields of the line at hand. Each has a slot; a slot has the values that the line gives its field, which are several
/// only for a JSON array. Used again for every line, so that reading one allocates nothing.
struct FieldTable {
  /// How a value is written in the line.
  enum Form: UInt8 {
    /// As it is.
    case plain
    /// With JSON's escapes.
    case json
    /// With backslashes, as Go's strconv.Quote writes them.
    case quoted
    /// With every quote doubled (RFC 4180).
    case doubled
    /// Not in the line, but in `decoded`.
    case decoded
    /// There is something, but it has no text: an empty array.
    case nothing
  }

  struct Value {
    var start: Int32
    var end: Int32
    var form: Form
    /// The next value of the same slot; below 0: none.
    var next: Int32 = -1

    var range: Range<Int> { Int(start)..<Int(end) }
  }

  private(set) var values: [Value] = []
  /// Texts that are not in the line as such.
  private(set) var decoded: [UInt8] = []
  private var scratch: [UInt8] = []
  /// For each slot its first value and its last; below 0: absent.
  private var first: [Int32] = []
  private var last: [Int32] = []

  /// Makes room for `slots` slots, all of them absent.
  mutating func clear(slots: Int) {
    if first.count < slots {
      first = Array(repeating: -1, count: slots)
      last = first
    } else {
      for slot in 0..<slots { first[slot] = -1 }
    }
    values.removeAll(keepingCapacity: true)
    decoded.removeAll(keepingCapacity: true)
  }

  /// The slot's first value; nil when it is absent.
  func value(_ slot: Int) -> Int? { first[slot] >= 0 ? Int(first[slot]) : nil }

  /// The value behind `value` in its slot.
  func next(_ value: Int) -> Int? { values[value].next >= 0 ? Int(values[value].next) : nil }

  /// Adds a value of a line. An empty text and `-` are what logs write for nothing; they leave the slot absent.
  mutating func add(_ slot: Int, _ line: borrowing Span<UInt8>, _ range: Range<Int>, _ form: Form = .plain) {
    if range.isEmpty || range.count == 1 && line[range.lowerBound] == UInt8(ascii: "-") { return }
    append(
      slot,
      Value(
        start: Int32(truncatingIfNeeded: range.lowerBound), end: Int32(truncatingIfNeeded: range.upperBound), form: form
      ))
  }

  /// Says that the slot is there, without a text.
  mutating func addNothing(_ slot: Int) { append(slot, Value(start: 0, end: 0, form: .nothing)) }

  /// Adds a text that is not in the line.
  mutating func add(_ slot: Int, decoding text: (inout [UInt8]) -> Void) {
    let start = decoded.count
    text(&decoded)
    append(
      slot,
      Value(start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: decoded.count), form: .decoded))
  }

  /// Lends a place for a short text that nobody keeps.
  mutating func withScratch<Result>(_ body: (inout [UInt8]) -> Result) -> Result {
    scratch.removeAll(keepingCapacity: true)
    return body(&scratch)
  }

  /// Lends a value's text.
  mutating func withText<Result>(
    _ value: Int, of line: borrowing Span<UInt8>, _ body: (borrowing Span<UInt8>) -> Result
  ) -> Result {
    decode(value, of: line)
    let range = values[value].range
    return values[value].form == .decoded ? body(decoded.span.extracting(range)) : body(line.extracting(range))
  }

  /// Takes the decoded texts out while one of them is lent; they are put back behind it.
  mutating func takeDecoded() -> [UInt8] {
    var texts: [UInt8] = []
    swap(&texts, &decoded)
    return texts
  }

  mutating func putBack(_ texts: [UInt8]) { decoded = texts }

  private mutating func append(_ slot: Int, _ value: Value) {
    let index = Int32(truncatingIfNeeded: values.count)
    values.append(value)
    if first[slot] < 0 { first[slot] = index } else { values[Int(last[slot])].next = index }
    last[slot] = index
  }

  /// Works out a value's text, if that has not been done: afterwards it is where `range` says, in the line or in `decoded`.
  mutating func decode(_ value: Int, of line: borrowing Span<UInt8>) {
    let start = decoded.count
    switch values[value].form {
    case .plain, .decoded, .nothing: return
    case .json: JSONText.unescape(line, values[value].range, into: &decoded)
    case .quoted: QuotedText.unescape(line, values[value].range, into: &decoded)
    case .doubled: ColumnReader.undouble(line, values[value].range, into: &decoded)
    }
    values[value].start = Int32(truncatingIfNeeded: start)
    values[value].end = Int32(truncatingIfNeeded: decoded.count)
    values[value].form = .decoded
  }
}

/// A line that a format could not read.
enum Unread: Error {
  /// It is of another format: some other program wrote it, or the log is not what the filter says.
  case otherFormat
  /// It is written as no program of this format writes it, or a field occurs twice: somebody may have meddled with it.
  case unbelieved
  /// It is no record, but says how records are written.
  case header
}
