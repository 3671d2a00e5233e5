internal import Model

/// Turns a batch into records: folds what a flood repeats and cuts what is too long. Its memory is used again from batch to batch.
struct FailureEncoder {
  /// Failures of one jail, pattern, source, id, user and weight, within `window` of the first.
  private struct Group {
    var first: Int32
    var last: Int32
    var count: UInt32
    var origin: OriginReference
  }

  private(set) var records = BatchEncoder()
  private var groups: [Group] = []
  /// Open addressing over `groups`; 0 is empty, else the group's index + 1.
  private var table: [Int32] = []
  private var hashes: [UInt64] = []

  /// How far apart failures may be to share a row.
  static let window = TimeSpan.seconds(1)

  mutating func begin() { records.removeAll() }

  /// Adds to `records`; only failures of one batch are folded. `origin` gives the interned number of what a failure has in
  /// common with others.
  mutating func add(_ batch: FailureBatch, origin: (Failure) throws -> OriginReference) rethrows {
    groups.removeAll(keepingCapacity: true)
    try group(batch, origin: origin)
    for group in groups { write(group, of: batch) }
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
    let last = batch.failures[Int(group.last)]
    let folded = group.first != group.last
    let head = RecordHead(
      time: first.time.microseconds, place: place(first, batch), origin: group.origin, count: group.count,
      weight: first.weight, address: first.name.isEmpty ? first.address : nil,
      last: folded ? (last.time.microseconds, place(last, batch)) : nil)
    let lastLine = folded ? last.line : .empty
    let text = batch.bytes.span
    if first.name.count <= TextLimit.name, first.user.count <= TextLimit.user, first.rule.count <= TextLimit.rule,
      first.line.count <= TextLimit.line, lastLine.count <= TextLimit.line
    {
      records.append(
        head, name: text.extracting(first.name.indices), user: text.extracting(first.user.indices),
        rule: text.extracting(first.rule.indices), line: text.extracting(first.line.indices),
        lastLine: text.extracting(lastLine.indices))
    } else {
      records.append(
        head, name: cut(first.name, of: batch, to: TextLimit.name).span,
        user: cut(first.user, of: batch, to: TextLimit.user).span,
        rule: cut(first.rule, of: batch, to: TextLimit.rule).span,
        line: cut(first.line, of: batch, to: TextLimit.line).span,
        lastLine: cut(lastLine, of: batch, to: TextLimit.line).span)
    }
  }

  private func cut(_ range: ByteRange, of batch: FailureBatch, to limit: Int) -> [UInt8] {
    let bytes = batch.bytes[range.indices]
    return bytes.count <= limit ? Array(bytes) : Array(bytes.prefix(limit)) + Array("[…]".utf8)
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
      // Safe: the range was checked.
      sum = mix(sum ^ (unsafe bytes.eight(at: i)))
      i &+= 8
    }
    return UInt32(truncatingIfNeeded: mix(sum ^ bytes.rest(from: i) ^ 0xD6E8_FEB8_6659_FD93))
  }
}

extension ByteRange {
  var indices: Range<Int> { Int(start)..<Int(start) + Int(count) }
}
