internal import Model

/// What the index on ids and users is looked up by: the first byte says what kind of text follows.
enum PostingKey {
  static let name: UInt8 = 1
  /// Four bytes, the highest first.
  static let ipv4: UInt8 = 4
  /// Sixteen.
  static let ipv6: UInt8 = 6
  static let user: UInt8 = 16

  static func of(_ address: Address) -> [UInt8] {
    if address.isIPv4 { return [ipv4] + bytes(address.bits, count: 4) }
    return [ipv6] + bytes(address.bits, count: 16)
  }

  private static func bytes(_ bits: UInt128, count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (count - 1 - $0))) }
  }

  static func of(name: some Sequence<UInt8>) -> [UInt8] { [Self.name] + name }
  static func of(user: some Sequence<UInt8>) -> [UInt8] { [Self.user] + user }
}

/// What a segment has of one key.
enum Posting {
  /// Failures of one origin.
  struct Group: Equatable {
    var origin: UInt32
    var failures: UInt64
    /// Numbers of rows, counted from the segment's first; none of users, whose rows are counted only.
    var rows: [UInt32]
  }
}

/// Some postings that follow one another, in a few hundred bytes: what the keys have in common is left out, and the commonest of
/// all, one failure of the origin that most are of, takes four bytes and the rest of its key.
///
/// ```
/// origin (the commonest) · entries…
/// entry: head · rest of the key, behind its length unless the key is as long as the one before · row: 2 bytes
///        or, of more than one row: how many groups · (origin · failures · rows · distances between the rows…)…
/// head: 0x80 one row, 0x40 as long as the one before, bytes in common with it
/// ```
struct PostingBlock {
  /// A block ends when it has grown to this: as much as is in a leaf of SQLite's, in a table without row numbers.
  static let size = 900

  fileprivate static let single: UInt8 = 0x80
  fileprivate static let sameLength: UInt8 = 0x40

  private(set) var bytes: [UInt8] = []
  private(set) var first: [UInt8] = []
  private var last: [UInt8] = []
  private let origin: UInt32

  init(origin: UInt32) {
    self.origin = origin
    bytes.append(varint: UInt64(origin))
  }

  var isEmpty: Bool { last.isEmpty }
  var isFull: Bool { bytes.count >= Self.size }

  /// One failure in one row of the block's own origin.
  mutating func append(_ key: borrowing Span<UInt8>, row: UInt32) {
    append(key, head: Self.single)
    bytes.append(UInt8(truncatingIfNeeded: row))
    bytes.append(UInt8(truncatingIfNeeded: row >> 8))
  }

  mutating func append(_ key: borrowing Span<UInt8>, _ groups: [Posting.Group]) {
    append(key, head: 0)
    bytes.append(varint: UInt64(groups.count))
    for group in groups {
      bytes.append(varint: UInt64(group.origin))
      bytes.append(varint: group.failures)
      bytes.append(varint: UInt64(group.rows.count))
      var before: UInt32 = 0
      for row in group.rows {
        bytes.append(varint: UInt64(row &- before))
        before = row
      }
    }
  }

  private mutating func append(_ key: borrowing Span<UInt8>, head: UInt8) {
    let shared = min(key.alike(from: 0, last.span, from: 0), 63)
    let isSameLength = key.count == last.count
    bytes.append(head | (isSameLength ? Self.sameLength : 0) | UInt8(shared))
    if !isSameLength { bytes.append(varint: UInt64(key.count - shared)) }
    bytes.append(key.extracting(shared..<key.count))
    if last.isEmpty { first = [UInt8](copying: key) }
    last.removeAll(keepingCapacity: true)
    last.append(key)
  }
}

/// Reads a block's postings, one after the other.
struct PostingReader {
  private(set) var key: [UInt8] = []
  /// Of all origins.
  private(set) var failures: UInt64 = 0
  private var common: UInt32 = 0
  private var offset = 0
  /// The row of a posting that has but one.
  private var row: UInt32?
  private var groupsAt = 0

  /// False at the end, and for bytes that are none of ours.
  mutating func next(_ bytes: borrowing Span<UInt8>) -> Bool {
    var reader = ByteReader(offset: offset)
    if offset == 0 {
      guard let origin = reader.varint(bytes) else { return false }
      common = UInt32(truncatingIfNeeded: origin)
    }
    guard let head: UInt8 = reader.integer(bytes) else { return false }
    let shared = Int(head & 63)
    var rest = key.count - shared
    if head & PostingBlock.sameLength == 0 {
      guard let count = reader.varint(bytes).flatMap({ Int(exactly: $0) }) else { return false }
      rest = count
    }
    guard shared <= key.count, rest >= 0, rest <= bytes.count - reader.offset, shared + rest > 0 else { return false }
    key.removeLast(key.count - shared)
    for i in reader.offset..<reader.offset + rest { key.append(bytes[i]) }
    reader.offset += rest
    if head & PostingBlock.single != 0 {
      guard let only: UInt16 = reader.integer(bytes) else { return false }
      (row, failures) = (UInt32(only), 1)
    } else {
      (row, groupsAt, failures) = (nil, reader.offset, 0)
      guard Self.readGroups(bytes, &reader, { failures &+= $0.failures }) else { return false }
    }
    offset = reader.offset
    return true
  }

  /// Nil: the key is another one.
  var address: Address? {
    switch (key.first, key.count) {
    case (PostingKey.ipv4, 5):
      return Address(ipv4: UInt32(key[1]) << 24 | UInt32(key[2]) << 16 | UInt32(key[3]) << 8 | UInt32(key[4]))
    case (PostingKey.ipv6, 17):
      var bits: UInt128 = 0
      for i in 1...16 { bits = bits << 8 | UInt128(key[i]) }
      return Address(bits: bits)
    default: return nil
    }
  }

  /// By origin.
  func groups(_ bytes: borrowing Span<UInt8>) -> [Posting.Group] {
    if let row { return [.init(origin: common, failures: 1, rows: [row])] }
    var groups: [Posting.Group] = []
    var reader = ByteReader(offset: groupsAt)
    _ = Self.readGroups(bytes, &reader) { groups.append($0) }
    return groups
  }

  private static func readGroups(
    _ bytes: borrowing Span<UInt8>, _ reader: inout ByteReader, _ body: (Posting.Group) -> Void
  ) -> Bool {
    guard let count = reader.varint(bytes), count <= UInt64(bytes.count) else { return false }
    for _ in 0..<count {
      guard let origin = reader.varint(bytes), let failures = reader.varint(bytes), let rows = reader.varint(bytes),
        rows <= UInt64(bytes.count)
      else { return false }
      var group = Posting.Group(origin: UInt32(truncatingIfNeeded: origin), failures: failures, rows: [])
      var row: UInt32 = 0
      for _ in 0..<rows {
        guard let distance = reader.varint(bytes) else { return false }
        row &+= UInt32(truncatingIfNeeded: distance)
        group.rows.append(row)
      }
      body(group)
    }
    return true
  }
}
