internal import Model

/// The machinery of a `RecordDecoder`: a struct that nobody copies, so that what each record touches costs no check for exclusive
/// access.
struct DecodedRecords: ~Copyable {
  /// Parts of a line whose end is still to come.
  private struct Pending {
    var bytes: [UInt8] = []
    var isOpen = false
    /// Its first parts were not seen: what is left of it is no line.
    var isHeadless = false
    /// Where its first part is in the source.
    var offset: UInt64 = 0
    /// Of its last part.
    var time: [UInt8] = []
  }

  /// A line of `payload`: where it and its time begin, and where its record is in the source.
  private struct Line {
    var start: Int
    var time: Int
    var offset: UInt64
  }

  private let envelope: Envelope
  /// When the container was started last, where that is known: parts from before are no beginning of what comes after.
  private let started: () -> Instant?
  private(set) var payload: [UInt8] = []
  private var lines: [Line] = []
  private var times: [UInt8] = []
  private var pending = [Pending(), Pending()]
  /// Lines over the limit, since they were last taken.
  private var tooLong: UInt64 = 0

  init(_ envelope: Envelope, started: @escaping () -> Instant?) {
    self.envelope = envelope
    self.started = started
  }

  var count: Int { lines.count }

  /// Decodes whole records, back to back, the first of which is at `offset` of the source. The lines that end in them are
  /// in `payload` until the next call.
  mutating func decode(_ records: borrowing Span<UInt8>, at offset: UInt64) {
    payload.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
    var at = 0
    while at < records.count {
      let end = Bytes.first(10, records, at..<records.count) ?? records.count
      if end > at { decode(records, at..<end, offset + UInt64(at)) }
      at = end + 1
    }
  }

  mutating func takeTooLong() -> UInt64 {
    defer { tooLong = 0 }
    return tooLong
  }

  /// What is decoded next was delivered before, and only tells which lines are begun. `isMidway`: something precedes it.
  mutating func beginReplay(isMidway: Bool) {
    pending = [Pending(), Pending()]
    for i in pending.indices where isMidway {
      pending[i].isOpen = true
      pending[i].isHeadless = true
    }
  }

  mutating func endReplay() {
    // Of an output that has been silent for so long no line is begun.
    for i in pending.indices where pending[i].isHeadless && pending[i].time.isEmpty { pending[i] = Pending() }
    tooLong = 0
  }

  private mutating func decode(_ records: borrowing Span<UInt8>, _ range: Range<Int>, _ offset: UInt64) {
    let start = payload.count
    switch envelope {
    case .docker:
      guard let record = DockerRecord(records, range, into: &payload) else { break }
      let isPart = !record.isEnded && record.length == DockerRecord.cut
      return take(from: start, record.stream, isPart: isPart, records, record.time, offset)
    case .cri:
      guard let record = CRIRecord(records, range) else { break }
      Bytes.append(records, record.text, to: &payload)
      return take(from: start, record.stream, isPart: !record.isEnded, records, record.time, offset)
    }
    // No record: as it is.
    Bytes.append(records, range, to: &payload)
    end(from: start, offset, time: [])
  }

  /// The text from `start` on is a line, a part of one, or its end.
  private mutating func take(
    from start: Int, _ stream: OutputStream, isPart: Bool, _ records: borrowing Span<UInt8>, _ time: Range<Int>,
    _ offset: UInt64
  ) {
    let i = stream.rawValue
    guard isPart || pending[i].isOpen else {
      let timeStart = times.count
      Bytes.append(records, time, to: &times)
      return end(from: start, offset, timeStart)
    }
    var text: [UInt8] = []
    Bytes.append(records, time, to: &text)
    if pending[i].isOpen, isFromEarlierRun(pending[i].time, text) {
      // A last line without its end, and the first of the next run.
      let first = Array(payload[start...])
      payload.removeSubrange(start...)
      finish(i)
      let next = payload.count
      payload += first
      return take(from: next, stream, isPart: isPart, records, time, offset)
    }
    if !pending[i].isOpen {
      pending[i].isOpen = true
      pending[i].offset = offset
    }
    // One byte over the limit tells that something is missing.
    pending[i].bytes += payload[start...].prefix(max(0, LineLimit.bytes + 1 - pending[i].bytes.count))
    pending[i].time = text
    payload.removeSubrange(start...)
    if !isPart { finish(i) }
  }

  private mutating func finish(_ i: Int) {
    let start = payload.count
    if pending[i].isHeadless || pending[i].bytes.count > LineLimit.bytes { tooLong += 1 }
    if !pending[i].isHeadless {
      payload += pending[i].bytes.prefix(LineLimit.bytes)
      end(from: start, pending[i].offset, time: pending[i].time)
    }
    pending[i].bytes.removeAll(keepingCapacity: true)
    pending[i].time.removeAll(keepingCapacity: true)
    pending[i].isOpen = false
    pending[i].isHeadless = false
  }

  private mutating func end(from start: Int, _ offset: UInt64, time: [UInt8]) {
    let timeStart = times.count
    times += time
    end(from: start, offset, timeStart)
  }

  private mutating func end(from start: Int, _ offset: UInt64, _ time: Int) {
    // A runtime splits at each LF; were one left, what follows it would be taken for a line of its own.
    if case .docker = envelope {
      while let feed = Bytes.first(10, payload.span, start..<payload.count) { payload[feed] = 32 }
    }
    payload.append(10)
    lines.append(Line(start: start, time: time, offset: offset))
  }

  /// Was the container started again between these two times? Asked only where a pause is long enough for it.
  private func isFromEarlierRun(_ before: [UInt8], _ now: [UInt8]) -> Bool {
    guard case .cri = envelope, before.prefix(21) != now.prefix(21), let before = Self.instant(before[...]),
      let now = Self.instant(now[...]), let started = started()
    else { return false }
    return before < started && started <= now
  }

  // MARK: What is known of a line

  /// Where the record of the line is in the source that begins at `start` of the payload.
  func offset(of start: Int) -> UInt64 { line(at: start).map { lines[$0].offset } ?? 0 }

  /// When the runtime read the line that begins at `start` of the payload.
  func time(of start: Int) -> Instant? {
    guard let i = line(at: start) else { return nil }
    let end = i + 1 < lines.count ? lines[i + 1].time : times.count
    return Self.instant(times[lines[i].time..<end])
  }

  private func line(at start: Int) -> Int? {
    var (low, high) = (0, lines.count)
    while low < high {
      let middle = (low + high) / 2
      if lines[middle].start <= start { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? low - 1 : nil
  }

  private static func instant(_ text: ArraySlice<UInt8>) -> Instant? {
    Instant(rfc3339: String(decoding: text, as: UTF8.self))
  }
}
