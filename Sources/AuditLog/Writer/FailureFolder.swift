internal import Model

/// Which failures of a batch become rows: each, but of those that one id repeats within a second only the first few; the others
/// are one row, with their number and the last of them.
struct FailureFolder {
  /// A row to be: the first failure that it represents and the last one, by their numbers in the batch.
  struct Row {
    var first: Int
    var last: Int
    var count: UInt32
  }

  /// Failures of one jail, pattern, source, id, user and weight, within `window` of the first.
  private struct Group {
    var first: Int
    var count: Int
    /// The row that the next one joins.
    var row: Int
  }

  /// How far apart failures may be to share a row, and how many are rows of their own before: a ban's lines are named, each of them,
  /// unless somebody floods.
  static let window = TimeSpan.seconds(1)
  static let named = 16

  private(set) var rows: [Row] = []
  private var groups: [Group] = []
  /// Open addressing over `groups`; 0 is empty, else the group's index + 1.
  private var table: [Int32] = []

  mutating func fold(_ batch: FailureBatch) {
    rows.removeAll(keepingCapacity: true)
    guard batch.failures.count > Self.named else {
      for (index, failure) in batch.failures.enumerated() {
        rows.append(Row(first: index, last: index, count: failure.count))
      }
      return
    }
    groups.removeAll(keepingCapacity: true)
    var size = 64
    while size < batch.failures.count * 2 { size *= 2 }
    if table.count < size { table = [Int32](repeating: 0, count: size) } else { for i in 0..<size { table[i] = 0 } }
    for index in batch.failures.indices { add(index, of: batch, mask: size - 1) }
  }

  private mutating func add(_ index: Int, of batch: FailureBatch, mask: Int) {
    let failure = batch.failures[index]
    var slot = Int(truncatingIfNeeded: hash(failure)) & mask
    while table[slot] != 0 {
      let number = Int(table[slot]) - 1
      if isAlike(failure, batch.failures[groups[number].first], batch) {
        return join(index, failure, number, batch)
      }
      slot = (slot &+ 1) & mask
    }
    table[slot] = Int32(groups.count + 1)
    groups.append(Group(first: index, count: 1, row: rows.count))
    rows.append(Row(first: index, last: index, count: failure.count))
  }

  private mutating func join(_ index: Int, _ failure: Failure, _ number: Int, _ batch: FailureBatch) {
    let apart = failure.time.since(batch.failures[groups[number].first].time)
    guard apart >= .zero, apart < Self.window else {
      groups[number] = Group(first: index, count: 1, row: rows.count)
      rows.append(Row(first: index, last: index, count: failure.count))
      return
    }
    groups[number].count += 1
    // The row behind the named ones is the first that others join.
    guard groups[number].count > Self.named + 1 else {
      groups[number].row = rows.count
      rows.append(Row(first: index, last: index, count: failure.count))
      return
    }
    let row = groups[number].row
    rows[row].last = index
    let (sum, overflow) = rows[row].count.addingReportingOverflow(failure.count)
    rows[row].count = overflow ? .max : sum
  }

  private func hash(_ failure: Failure) -> UInt64 {
    let address = failure.address.bits
    let low = UInt64(truncatingIfNeeded: address) ^ UInt64(truncatingIfNeeded: address >> 64)
    return RecordSum.mix(
      low ^ UInt64(failure.pattern) << 40 ^ UInt64(failure.user.count) << 32 ^ UInt64(failure.weight))
  }

  private func isAlike(_ a: Failure, _ b: Failure, _ batch: FailureBatch) -> Bool {
    guard a.address == b.address, a.jail == b.jail, a.pattern == b.pattern, a.source == b.source, a.weight == b.weight
    else { return false }
    let bytes = batch.bytes.span
    func alike(_ a: ByteRange, _ b: ByteRange) -> Bool {
      a.count == b.count && bytes.extracting(a.indices).alike(from: 0, bytes, from: Int(b.start)) >= Int(a.count)
    }
    return alike(a.user, b.user) && alike(a.name, b.name) && alike(a.rule, b.rule)
  }
}

extension ByteRange {
  var indices: Range<Int> { Int(start)..<Int(start) + Int(count) }
}
