internal import Model

/// Some ten thousand rows that follow one another, with what is asked about them: which ids and users there are, and how many
/// failures an hour. Made once when it is full, from what is in memory anyway; never changed.
struct Segment {
  /// The numbers of its first and last row.
  var first: Int64
  var last: Int64
  /// No row is older, none younger.
  var times: ClosedRange<Int64>
  /// The transactions that its rows are in.
  var batches: ClosedRange<Int64>
  var counts: [HourCount]

  /// Failures and rows of a template within an hour.
  struct HourCount: Hashable {
    var hour: Int64
    var template: Int64
    var failures: UInt64
    var rows: UInt64
  }
}

/// Hours since 1970, rounded down.
enum Hour {
  static func of(_ microseconds: Int64) -> Int64 {
    let seconds = Instant(microseconds: microseconds).seconds
    return seconds / 3600 - (seconds % 3600 < 0 ? 1 : 0)
  }

  /// Its first microsecond.
  static func start(_ hour: Int64) -> Int64 {
    let (seconds, overflow) = hour.multipliedReportingOverflow(by: 3600)
    return Instant(seconds: overflow ? (hour < 0 ? .min : .max) : seconds).microseconds
  }
}

/// Collects what a segment says of its rows.
struct SegmentBuilder {
  /// Rows of a segment. What is behind the last segment is looked through row by row, in a few milliseconds at most.
  static let size = 1 << 15

  private struct HourKey: Hashable {
    var hour: Int64
    var template: Int64
  }

  private(set) var rows = 0
  private(set) var first: Int64 = 0
  private var times: ClosedRange<Int64> = 0...0
  private var batches: ClosedRange<Int64> = 0...0
  /// An IPv4 address in the high half, the row in the low one.
  private var v4: [UInt64] = []
  private var others: [(key: [UInt8], row: UInt32)] = []
  /// Of each row.
  private var origins: [UInt32] = []
  private var counts: [UInt32] = []
  private var userNames = ByteTable()
  private var users: [(failures: UInt64, rows: UInt64)] = []
  private var hours: [HourKey: (failures: UInt64, rows: UInt64)] = [:]
  /// The number of the last row that has a template; complete after `finish`.
  private(set) var lastRows: [Int64: Int64] = [:]
  private var hourKey = HourKey(hour: .min, template: 0)
  private var hourSum: (failures: UInt64, rows: UInt64) = (0, 0)
  /// The last row's hour begins and ends at these times.
  private var hour: (number: Int64, start: Int64, end: Int64) = (0, 0, 0)

  var isFull: Bool { rows >= Self.size }

  mutating func removeAll() {
    self = SegmentBuilder()
  }

  /// Adds the row behind the last one. `batch`: the transaction that it is in.
  mutating func add(
    row number: Int64, batch: Int64, time: Int64, address: Address?, name: borrowing Span<UInt8>,
    user: borrowing Span<UInt8>, template: Template, count: UInt32
  ) {
    if rows == 0 {
      first = number
      times = time...time
      batches = batch...batch
    }
    times = min(times.lowerBound, time)...max(times.upperBound, time)
    batches = batches.lowerBound...batch
    let row = UInt32(truncatingIfNeeded: rows)
    switch address {
    case let address? where address.isIPv4: v4.append(UInt64(address.ipv4) << 32 | UInt64(row))
    case let address?: others.append((PostingKey.of(address), row))
    case nil: others.append((PostingKey.of(name: [UInt8](copying: name)), row))
    }
    origins.append(template.key.origin)
    counts.append(count)
    if user.count > 0 {
      let number = userNames.number(of: user)
      if number == users.count { users.append((0, 0)) }
      users[number] = (users[number].failures &+ UInt64(count), users[number].rows &+ 1)
    }
    countHour(time, template.number, count)
    rows += 1
  }

  private mutating func countHour(_ time: Int64, _ template: Int64, _ count: UInt32) {
    if time < hour.start || time >= hour.end {
      let number = Hour.of(time)
      hour = (number, Hour.start(number), Hour.start(number + 1))
    }
    if hourKey.hour != hour.number || hourKey.template != template {
      closeHour()
      hourKey = HourKey(hour: hour.number, template: template)
    }
    hourSum = (hourSum.failures &+ UInt64(count), hourSum.rows &+ 1)
  }

  private mutating func closeHour() {
    guard hourSum.rows > 0 else { return }
    let sum = hours[hourKey] ?? (0, 0)
    lastRows[hourKey.template] = first + Int64(rows) - 1
    hours[hourKey] = (sum.failures &+ hourSum.failures, sum.rows &+ hourSum.rows)
    hourSum = (0, 0)
  }

  /// The templates of its rows.
  var templates: Set<Int64> {
    var numbers = Set(hours.keys.map(\.template))
    if hourSum.rows > 0 { numbers.insert(hourKey.template) }
    return numbers
  }

  /// The segment of what was added, and its index.
  mutating func finish() -> (segment: Segment, blocks: [PostingBlock]) {
    closeHour()
    let counts = hours.map { key, sum in
      Segment.HourCount(hour: key.hour, template: key.template, failures: sum.failures, rows: sum.rows)
    }.sorted { ($0.hour, $0.template) < ($1.hour, $1.template) }
    let segment = Segment(
      first: first, last: first + Int64(rows) - 1, times: times, batches: batches, counts: counts)
    return (segment, makeBlocks())
  }

  // MARK: The index

  private func makeBlocks() -> [PostingBlock] {
    var writer = BlockWriter(origin: commonest)
    let sorted = others.sorted {
      $0.key == $1.key ? $0.row < $1.row : $0.key.lexicographicallyPrecedes($1.key)
    }
    let names = sorted.prefix { $0.key.first == PostingKey.name }
    add(names, to: &writer)
    addIPv4(to: &writer)
    add(sorted[names.endIndex...], to: &writer)
    writer.closeBlock()
    let userNumbers = (0..<userNames.count).sorted { userNames[$0].lexicographicallyPrecedes(userNames[$1]) }
    for number in userNumbers {
      let key = PostingKey.of(user: userNames[number])
      writer.add(key.span, [Posting.Group(origin: 0, failures: users[number].failures, rows: [])])
    }
    return writer.finish()
  }

  /// The origin that most rows are of.
  private var commonest: UInt32 {
    var sums: [UInt32: Int] = [:]
    for origin in origins { sums[origin, default: 0] += 1 }
    return sums.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
  }

  private func add(_ entries: ArraySlice<(key: [UInt8], row: UInt32)>, to writer: inout BlockWriter) {
    var start = entries.startIndex
    while start < entries.endIndex {
      let key = entries[start].key
      let end = entries[start...].firstIndex { $0.key != key } ?? entries.endIndex
      add(key.span, entries[start..<end].map(\.row), to: &writer)
      start = end
    }
  }

  private func addIPv4(to writer: inout BlockWriter) {
    let sorted = RadixSort.byHighHalf(v4)
    var key: [UInt8] = [PostingKey.ipv4, 0, 0, 0, 0]
    var rows: [UInt32] = []
    var i = 0
    while i < sorted.count {
      let address = sorted[i] >> 32
      for byte in 0..<4 { key[byte + 1] = UInt8(truncatingIfNeeded: address >> UInt64(24 - 8 * byte)) }
      rows.removeAll(keepingCapacity: true)
      while i < sorted.count, sorted[i] >> 32 == address {
        rows.append(UInt32(truncatingIfNeeded: sorted[i]))
        i += 1
      }
      add(key.span, rows, to: &writer)
    }
  }

  private func add(_ key: borrowing Span<UInt8>, _ rows: [UInt32], to writer: inout BlockWriter) {
    if rows.count == 1, counts[Int(rows[0])] == 1, origins[Int(rows[0])] == writer.origin {
      return writer.add(key, row: rows[0])
    }
    var groups: [Posting.Group] = []
    for row in rows {
      let origin = origins[Int(row)]
      let index = groups.firstIndex { $0.origin == origin } ?? groups.count
      if index == groups.count { groups.append(Posting.Group(origin: origin, failures: 0, rows: [])) }
      groups[index].failures &+= UInt64(counts[Int(row)])
      groups[index].rows.append(row)
    }
    writer.add(key, groups)
  }
}

/// Begins a block when the one before is full.
private struct BlockWriter {
  let origin: UInt32
  private var blocks: [PostingBlock] = []
  private var open: PostingBlock

  init(origin: UInt32) {
    self.origin = origin
    open = PostingBlock(origin: origin)
  }

  mutating func add(_ key: borrowing Span<UInt8>, row: UInt32) {
    open.append(key, row: row)
    closeIfFull()
  }

  mutating func add(_ key: borrowing Span<UInt8>, _ groups: [Posting.Group]) {
    open.append(key, groups)
    closeIfFull()
  }

  private mutating func closeIfFull() { if open.isFull { closeBlock() } }

  mutating func closeBlock() {
    guard !open.isEmpty else { return }
    blocks.append(open)
    open = PostingBlock(origin: origin)
  }

  mutating func finish() -> [PostingBlock] {
    closeBlock()
    return blocks
  }
}

/// Four passes over a byte each: a tenth of what sorting by comparison takes.
enum RadixSort {
  /// By the high 32 bits; those that are alike stay in their order.
  static func byHighHalf(_ values: [UInt64]) -> [UInt64] {
    var from = values
    var to = values
    for shift in stride(from: UInt64(32), to: 64, by: 8) {
      var places = [Int](repeating: 0, count: 257)
      for value in from { places[Int(truncatingIfNeeded: value >> shift & 255) + 1] += 1 }
      for i in 1...256 { places[i] += places[i - 1] }
      for value in from {
        let byte = Int(truncatingIfNeeded: value >> shift & 255)
        to[places[byte]] = value
        places[byte] += 1
      }
      swap(&from, &to)
    }
    return from
  }
}
