internal import Model

/// A committed failure that is no row yet. Texts are ranges of its batch's `heads`.
struct FailureRecord {
  var head: RecordHead
  var name = 0..<0
  var user = 0..<0
  var rule = 0..<0
}

/// Reads the `heads` that `BatchEncoder` wrote, a failure at a time; the lines stay closed until they are wanted.
struct HeadReader {
  private(set) var offset = 0
  private var time: Int64 = 0
  private var place: Int64 = 0
  private var origins: [OriginReference] = []
  private var users: [Range<Int>] = []

  /// Nil at the end, and for bytes that are none of ours.
  mutating func next(_ bytes: borrowing Span<UInt8>) -> FailureRecord? {
    var reader = ByteReader(offset: offset)
    guard let flags: UInt8 = reader.integer(bytes), let index = reader.varint(bytes), index <= UInt64(origins.count)
    else { return nil }
    let origin = Int(index)
    if origin == origins.count {
      guard let number = reader.varint(bytes), let key: UInt64 = reader.integer(bytes) else { return nil }
      origins.append(OriginReference(number: UInt32(truncatingIfNeeded: number), key: key.byteSwapped))
    }
    guard let since = reader.signed(bytes), let distance = reader.signed(bytes) else { return nil }
    time &+= since
    place &+= distance
    var record = FailureRecord(
      head: RecordHead(time: time, place: place, origin: origins[origin], count: 1, weight: 1))
    switch flags & RecordFlags.identity {
    case RecordFlags.ipv4:
      guard let v4: UInt32 = reader.integer(bytes) else { return nil }
      record.head.address = Address(ipv4: v4.byteSwapped)
    case RecordFlags.ipv6:
      guard let bits: UInt128 = reader.integer(bytes) else { return nil }
      record.head.address = Address(bits: bits.byteSwapped)
    default:
      guard let name = reader.counted(bytes) else { return nil }
      record.name = name
    }
    if flags & RecordFlags.count != 0 {
      guard let count = reader.varint(bytes) else { return nil }
      record.head.count = UInt32(truncatingIfNeeded: count)
    }
    if flags & RecordFlags.weight != 0 {
      guard let weight = reader.varint(bytes) else { return nil }
      record.head.weight = UInt32(truncatingIfNeeded: weight)
    }
    if flags & RecordFlags.user != 0 {
      guard let known = reader.varint(bytes), known <= UInt64(users.count) else { return nil }
      let place = Int(known)
      if place == users.count {
        guard let user = reader.counted(bytes) else { return nil }
        users.append(user)
      }
      record.user = users[place]
    }
    if flags & RecordFlags.rule != 0 {
      guard let rule = reader.counted(bytes) else { return nil }
      record.rule = rule
    }
    if flags & RecordFlags.folded != 0 {
      guard let later = reader.signed(bytes), let further = reader.signed(bytes) else { return nil }
      record.head.last = (time &+ later, place &+ further)
    }
    offset = reader.offset
    return record
  }
}

/// Reads the `lines`, in step with the heads.
struct LineReader {
  private(set) var offset = 0
  private(set) var delta = LineDelta()

  /// The line, and the last one of a record that represents several; nil for bytes that are none of ours. `heads` is what
  /// the record was read from.
  mutating func next(
    _ record: FailureRecord, _ heads: borrowing Span<UInt8>, _ bytes: borrowing Span<UInt8>
  ) -> (line: Range<Int>, last: Range<Int>)? {
    let user = heads.extracting(record.user)
    let address = record.head.address
    guard let line = delta.decode(bytes, at: &offset, address: address, user: user) else { return nil }
    guard record.head.last != nil else { return (line, 0..<0) }
    guard let last = delta.decode(bytes, at: &offset, address: address, user: user) else { return nil }
    return (line, last)
  }
}

/// Sums the records of a batch as they are stored, to tell which of them was changed.
enum BatchSums {
  static func of(_ heads: borrowing Span<UInt8>, _ lines: borrowing Span<UInt8>) -> [UInt8] {
    var sums: [UInt8] = []
    var reader = HeadReader()
    var delta = LineReader()
    var at = (0, 0)
    while let record = reader.next(heads), delta.next(record, heads, lines) != nil {
      let sum = RecordSum.of(heads.extracting(at.0..<reader.offset))
      sums.append(sum: sum &* 31 ^ RecordSum.of(lines.extracting(at.1..<delta.offset)))
      at = (reader.offset, delta.offset)
    }
    return sums
  }
}
