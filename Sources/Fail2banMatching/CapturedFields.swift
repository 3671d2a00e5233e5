internal import Matching

/// What the named groups of a filter's patterns captured, by the numbers that `FieldNames` gave the names. One array holds
/// all texts, so that filling it again for the next line costs nothing.
struct CapturedFields: Sendable {
  private var bytes: [UInt8] = []
  /// Start and end in `bytes`; a start below 0: the group took no part.
  private var ranges: [(start: Int32, end: Int32)]

  init(count: Int) { ranges = Array(repeating: (-1, -1), count: count) }

  subscript(field: Int) -> Range<Int>? {
    let (start, end) = ranges[field]
    return start < 0 ? nil : Int(start)..<Int(end)
  }

  var indices: Range<Int> { ranges.indices }

  /// Captured, and not empty.
  func says(_ field: Int) -> Bool { self[field].map { !$0.isEmpty } ?? false }

  func array(_ field: Int) -> [UInt8]? { self[field].map { Array(bytes[$0]) } }

  /// Do two fields hold the same text?
  func equals(_ field: Int, _ other: Int) -> Bool {
    guard let mine = self[field], let theirs = self[other] else { return false }
    return bytes[mine].elementsEqual(bytes[theirs])
  }

  func equals(_ field: Int, _ other: CapturedFields) -> Bool {
    guard let mine = self[field], let theirs = other[field] else { return false }
    return bytes[mine].elementsEqual(other.bytes[theirs])
  }

  /// Is the field's text, of which only the first `limit` bytes count, this one?
  func begins(_ field: Int, with text: [UInt8], limit: Int) -> Bool {
    self[field].map { bytes[$0.prefix(limit)].elementsEqual(text) } ?? false
  }

  func withSpan<Result>(_ field: Int, _ body: (borrowing Span<UInt8>) -> Result) -> Result? {
    guard let range = self[field] else { return nil }
    return body(bytes.span.extracting(range))
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    for field in ranges.indices { ranges[field] = (-1, -1) }
  }

  /// Gives memory back, but for `most` bytes.
  mutating func removeAll(keeping most: Int) {
    if bytes.capacity > most { bytes = [] }
    removeAll()
  }

  mutating func remove(_ field: Int) { ranges[field] = (-1, -1) }

  /// No field yet, and a text of which the fields will be parts: one copy instead of one for each.
  mutating func begin(with text: borrowing Span<UInt8>) {
    removeAll()
    bytes.append(text, 0..<text.count)
  }

  /// A part of that text.
  mutating func set(_ field: Int, _ range: Range<Int>) {
    ranges[field] = (Int32(truncatingIfNeeded: range.lowerBound), Int32(truncatingIfNeeded: range.upperBound))
  }

  mutating func set(_ field: Int, _ text: borrowing Span<UInt8>) {
    let start = bytes.count
    bytes.append(text, 0..<text.count)
    ranges[field] = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: bytes.count))
  }

  /// Copies a text that is in here already.
  mutating func copy(_ from: Int, to field: Int) { ranges[field] = ranges[from] }

  /// Appends `,` and the text of another field: fail2ban's tuples.
  mutating func join(_ from: Int, to field: Int) {
    guard let more = self[from] else { return }
    let text = (array(field) ?? []) + [UInt8(ascii: ",")] + bytes[more]
    set(field, text.span)
  }

  /// Takes a field's text from `other`, at most `limit` bytes of it.
  mutating func take(_ field: Int, from other: CapturedFields, limit: Int = .max) {
    guard let range = other[field] else { return }
    set(field, other.bytes.span.extracting(range.prefix(limit)))
  }

  /// Lets go of texts that have been overwritten, once they outweigh the others.
  mutating func compact(above limit: Int) {
    guard bytes.count > limit else { return }
    var packed = CapturedFields(count: ranges.count)
    for field in ranges.indices { packed.take(field, from: self) }
    self = packed
  }
}

/// The names of a filter's groups, numbered.
struct FieldNames: Sendable {
  private(set) var names: [String] = []

  /// The number of a name, which gets one when it has none.
  mutating func number(_ name: String) -> Int {
    if let known = names.firstIndex(of: name) { return known }
    names.append(name)
    return names.count - 1
  }
}
