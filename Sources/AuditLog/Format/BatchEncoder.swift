internal import Model

/// How failures are written when they are committed: the bytes that the chain's hash covers, and that indexed rows give
/// again, byte for byte. What follows from the record before is left out, since a commit costs by the byte: hashing,
/// logging, writing.
///
/// ```
/// heads: flags 1 · origin's place in the batch; its number and key 8 where it is new · time and place since the record
///        before · address 4 or 16, or name · by the flags count, weight, the user's place in the batch and its name where it
///        is new, rule, and the last line's time and place
/// lines: the line and, by the flags, the last line: see `LineDelta`
/// ```
/// Numbers are varints, those that can be negative in zigzag; texts follow their length. This never changes.
struct BatchEncoder {
  private(set) var heads: [UInt8] = []
  private(set) var lines: [UInt8] = []
  /// Four bytes a record.
  private(set) var sums: [UInt8] = []
  private(set) var count = 0
  private var time: Int64 = 0
  private var place: Int64 = 0
  private var origins: [UInt32] = []
  private var users = UserPlaces()
  private var delta = LineDelta()

  mutating func removeAll() {
    heads.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    sums.removeAll(keepingCapacity: true)
    origins.removeAll(keepingCapacity: true)
    users.removeAll()
    delta.removeAll()
    (count, time, place) = (0, 0, 0)
  }

  mutating func append(
    _ record: RecordHead, name: borrowing Span<UInt8>, user: borrowing Span<UInt8>, rule: borrowing Span<UInt8>,
    line: borrowing Span<UInt8>, lastLine: borrowing Span<UInt8>
  ) {
    let start = (heads.count, lines.count)
    let origin = place(of: record.origin)
    append(record, origin, name, user, rule)
    delta.encode(line, origin: origin, address: record.address, user: user, into: &lines)
    if record.last != nil {
      delta.encode(lastLine, origin: origin, address: record.address, user: user, into: &lines)
    }
    let sum = RecordSum.of(heads.span.extracting(start.0..<heads.count))
    sums.append(sum: sum &* 31 ^ RecordSum.of(lines.span.extracting(start.1..<lines.count)))
    count += 1
  }

  private mutating func append(
    _ record: RecordHead, _ origin: Int, _ name: borrowing Span<UInt8>, _ user: borrowing Span<UInt8>,
    _ rule: borrowing Span<UInt8>
  ) {
    var flags = record.address.map { $0.isIPv4 ? RecordFlags.ipv4 : RecordFlags.ipv6 } ?? RecordFlags.name
    if user.count > 0 { flags |= RecordFlags.user }
    if rule.count > 0 { flags |= RecordFlags.rule }
    if record.count != 1 { flags |= RecordFlags.count }
    if record.weight != 1 { flags |= RecordFlags.weight }
    if record.last != nil { flags |= RecordFlags.folded }
    let isNew = origin == origins.count
    if isNew { origins.append(record.origin.number) }
    let (since, distance) = (record.time &- time, record.place &- place)
    (time, place) = (record.time, record.place)
    let known = user.count > 0 ? users.place(of: user) : nil
    let usersPlace = known ?? users.count - 1
    heads.append(addingCapacity: Self.numbers + name.count + user.count + rule.count) { out in
      out.append(flags)
      out.append(varint: UInt64(origin))
      if isNew {
        out.append(varint: UInt64(record.origin.number))
        out.append(bigEndian: record.origin.key, bytes: 8)
      }
      out.append(signed: since)
      out.append(signed: distance)
      switch record.address {
      case nil: out.append(counted: name)
      case let address? where address.isIPv4: out.append(bigEndian: UInt64(address.ipv4), bytes: 4)
      case let address?:
        out.append(bigEndian: UInt64(truncatingIfNeeded: address.bits >> 64), bytes: 8)
        out.append(bigEndian: UInt64(truncatingIfNeeded: address.bits), bytes: 8)
      }
      if record.count != 1 { out.append(varint: UInt64(record.count)) }
      if record.weight != 1 { out.append(varint: UInt64(record.weight)) }
      if user.count > 0 {
        out.append(varint: UInt64(usersPlace))
        if known == nil { out.append(counted: user) }
      }
      if rule.count > 0 { out.append(counted: rule) }
      if let last = record.last {
        out.append(signed: last.time &- record.time)
        out.append(signed: last.place &- record.place)
      }
    }
  }

  /// More than the numbers of a record can need: twelve varints, a key and an address.
  private static let numbers = 12 * OutputSpan<UInt8>.longestVarint + 8 + 16

  /// Where the origin is among those of this batch; behind the last where it is new.
  private func place(of origin: OriginReference) -> Int {
    origins.lastIndex(of: origin.number) ?? origins.count
  }

  /// SHA-256 over all records.
  var digest: [UInt8] { Self.digest(heads.span, lines.span) }

  static func digest(_ heads: borrowing Span<UInt8>, _ lines: borrowing Span<UInt8>) -> [UInt8] {
    var hasher = SHA256()
    var header = ByteWriter()
    header.integer(UInt64(heads.count))
    hasher.update(header.bytes)
    hasher.update(heads)
    hasher.update(lines)
    return hasher.finish()
  }
}

/// The users that a batch has named so far. Attackers go through lists of names, so a few make up most of them; of those
/// that share a slot the last one is found again. What is found decides what is hashed, so this never changes.
private struct UserPlaces {
  private static let slots = 256

  private(set) var count = 0
  private var text: [UInt8] = []
  private var known = [(place: Int, name: Range<Int>)](repeating: (0, 0..<0), count: slots)

  mutating func removeAll() {
    guard count > 0 else { return }
    count = 0
    text.removeAll(keepingCapacity: true)
    for i in 0..<Self.slots { known[i] = (0, 0..<0) }
  }

  /// Nil for a new one, whose place is behind all others.
  mutating func place(of user: borrowing Span<UInt8>) -> Int? {
    let slot = Int(RecordSum.of(user) & 255)
    let entry = known[slot]
    if entry.name.count == user.count, user.alike(from: 0, text.span, from: entry.name.lowerBound) >= user.count {
      return entry.place
    }
    known[slot] = (count, text.count..<text.count + user.count)
    text.append(user)
    count += 1
    return nil
  }
}
