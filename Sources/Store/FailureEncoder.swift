internal import Model

/// Turns a batch into records: folds what a flood repeats, cuts what is too long, and sums every record so that `verify`
/// can name the one that was changed. Its memory is used again from batch to batch.
struct FailureEncoder {
  /// Failures of one jail, pattern, source, id, user and weight, within `window` of the first.
  private struct Group {
    var first: Int32
    var last: Int32
    var count: UInt32
    var origin: OriginReference
  }

  private(set) var writer = ByteWriter()
  /// Four bytes a record.
  private(set) var sums: [UInt8] = []
  private(set) var records = 0
  private var groups: [Group] = []
  /// Open addressing over `groups`; 0 is empty, else the group's index + 1.
  private var table: [Int32] = []
  private var hashes: [UInt64] = []

  /// How far apart failures may be to share a row.
  static let window = TimeSpan.seconds(1)

  /// Fills `writer`, `sums` and `records`. `origin` gives the interned number of what a failure has in common with others.
  mutating func encode(_ batch: FailureBatch, origin: (Failure) throws -> OriginReference) rethrows {
    writer.bytes.removeAll(keepingCapacity: true)
    sums.removeAll(keepingCapacity: true)
    groups.removeAll(keepingCapacity: true)
    try group(batch, origin: origin)
    records = groups.count
    for group in groups {
      let start = writer.bytes.count
      write(group, of: batch)
      sums.append(sum: RecordSum.of(writer.bytes.span.extracting(start..<writer.bytes.count)))
    }
  }

  private mutating func group(_ batch: FailureBatch, origin: (Failure) throws -> OriginReference) rethrows {
    var size = 64
    while size < batch.failures.count * 2 { size *= 2 }
    if table.count != size {
      table = [Int32](repeating: 0, count: size)
    } else {
      for i in 0..<size { table[i] = 0 }
    }
    let mask = UInt64(size - 1)
    let text = batch.bytes.span
    for (index, failure) in batch.failures.enumerated() {
      let number = try origin(failure)
      var slot = Int(key(failure, origin: number.number, text: text) & mask)
      while true {
        let entry = table[slot]
        if entry == 0 {
          groups.append(
            Group(first: Int32(index), last: Int32(index), count: failure.count, origin: number))
          table[slot] = Int32(groups.count)
          break
        }
        let position = Int(entry) - 1
        if joins(failure, number.number, groups[position], batch, text) {
          groups[position].last = Int32(index)
          let (sum, overflow) = groups[position].count.addingReportingOverflow(failure.count)
          groups[position].count = overflow ? .max : sum
          break
        }
        slot = (slot + 1) & (size - 1)
      }
    }
  }

  private func key(_ failure: Failure, origin: UInt32, text: borrowing Span<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: failure.address.bits) ^ UInt64(truncatingIfNeeded: failure.address.bits >> 64)
    hash = RecordSum.mix(hash ^ UInt64(origin) << 32 ^ UInt64(failure.weight))
    for i in Int(failure.user.start)..<Int(failure.user.start) + Int(failure.user.count) {
      hash = (hash ^ UInt64(text[i])) &* 0x100_0000_01B3
    }
    for i in Int(failure.name.start)..<Int(failure.name.start) + Int(failure.name.count) {
      hash = (hash ^ UInt64(text[i])) &* 0x100_0000_01B3
    }
    return RecordSum.mix(hash)
  }

  private func joins(
    _ failure: Failure, _ origin: UInt32, _ group: Group, _ batch: FailureBatch, _ text: borrowing Span<UInt8>
  ) -> Bool {
    let first = batch.failures[Int(group.first)]
    guard group.origin.number == origin, first.address == failure.address, first.weight == failure.weight else {
      return false
    }
    let apart = failure.time.since(first.time)
    guard apart >= .zero, apart < Self.window else { return false }
    return same(first.user, failure.user, text) && same(first.name, failure.name, text)
  }

  private func same(_ a: ByteRange, _ b: ByteRange, _ text: borrowing Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<Int(a.count) where text[Int(a.start) + i] != text[Int(b.start) + i] { return false }
    return true
  }

  private mutating func write(_ group: Group, of batch: FailureBatch) {
    let first = batch.failures[Int(group.first)]
    let folded = group.first != group.last
    writer.integer(first.time.microseconds)
    writer.integer(place(first, batch))
    writer.integer(group.origin.number)
    writer.integer(group.origin.key)
    writer.integer(group.count)
    writer.integer(first.weight)
    let fold = folded ? RecordKind.folded : 0
    if !first.name.isEmpty {
      writer.bytes.append(RecordKind.name | fold)
      write(first.name, of: batch, limit: TextLimit.name)
    } else if first.address.isIPv4 {
      writer.bytes.append(RecordKind.ipv4 | fold)
      writer.integer(first.address.ipv4)
    } else {
      writer.bytes.append(RecordKind.ipv6 | fold)
      writer.integer(first.address.bits)
    }
    write(first.user, of: batch, limit: TextLimit.user)
    write(first.line, of: batch, limit: TextLimit.line)
    guard folded else { return }
    let last = batch.failures[Int(group.last)]
    writer.integer(last.time.microseconds)
    writer.integer(place(last, batch))
    write(last.line, of: batch, limit: TextLimit.line)
  }

  private mutating func write(_ range: ByteRange, of batch: FailureBatch, limit: Int) {
    let start = Int(range.start)
    let count = Int(range.count)
    guard count > limit else {
      writer.integer(UInt16(truncatingIfNeeded: count))
      writer.bytes.append(contentsOf: batch.bytes[start..<start + count])
      return
    }
    let mark = Array("[…]".utf8)
    writer.integer(UInt16(truncatingIfNeeded: limit + mark.count))
    writer.bytes.append(contentsOf: batch.bytes[start..<start + limit])
    writer.bytes.append(contentsOf: mark)
  }

  /// The file offset, or the sequence number in the journal's cursor.
  private func place(_ failure: Failure, _ batch: FailureBatch) -> Int64 {
    guard !failure.cursor.isEmpty else { return Int64(truncatingIfNeeded: failure.offset) }
    return batch.withBytes(failure.cursor) { JournalCursor(parsing: $0)?.sequence ?? 0 }
  }
}

/// A quick sum of a record. It tells which record of a batch was changed; that one was, the chain's SHA-256 tells.
enum RecordSum {
  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  static func of(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    var sum = UInt64(bytes.count) ^ 0x2545_F491_4F6C_DD1D
    var i = 0
    while i &+ 8 <= bytes.count {
      var word: UInt64 = 0
      for j in 0..<8 { word |= UInt64(bytes[i &+ j]) << UInt64(8 &* j) }
      sum = mix(sum ^ word)
      i &+= 8
    }
    var word: UInt64 = 0
    var shift: UInt64 = 0
    while i < bytes.count {
      word |= UInt64(bytes[i]) << shift
      shift &+= 8
      i &+= 1
    }
    return UInt32(truncatingIfNeeded: mix(sum ^ word ^ 0xD6E8_FEB8_6659_FD93))
  }
}
