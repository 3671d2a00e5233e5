internal import Filters
internal import Model

/// Lines that belong together: the client is named by another line than the failure's.
extension LineScanner {
  /// Says a match, which is in `match` with its time; where the filter joins lines, whatever it comes to: false when that is
  /// no failure.
  mutating func deliver(
    _ native: NativeFilter, _ line: borrowing Span<UInt8>, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>) -> Void
  ) -> Bool {
    guard let join = native.join else {
      body(match, line)
      return true
    }
    let key = match.joinKey
    if self.join(join, native.patterns[match.pattern], line, history) {
      body(match, line)
      return true
    }
    guard native.patterns[match.pattern].role == .opens else { return false }
    var isFailure = false
    while let line = nextJoined(join, key, history) {
      body(match, line.span)
      isFailure = true
    }
    return isFailure
  }

  /// What a match of a filter with `join` comes to, which is in `match` with its time: true when it is a failure, with its
  /// client.
  private mutating func join(
    _ join: JoinDefinition, _ candidate: NativePattern, _ line: borrowing Span<UInt8>, _ history: LineHistory
  ) -> Bool {
    let key = match.joinKey
    switch candidate.role {
    case .opens:
      guard key != 0 else { return false }
      counts.forgotten += history.openKeys.open(
        key, match.host.isEmpty ? nil : match.address, user: match.bytes(match.user, in: line), time: match.time,
        keep: join.keep)
      counts.unjoined += history.openKeys.dropLate(key)
      return false
    case .closes:
      history.openKeys.close(key)
      return false
    case nil: break
    }
    guard match.host.isEmpty else { return true }
    if match.event != nil {
      // Who it was is told all the same, if not from where.
      if key != 0, let opening = history.openKeys.find(key, at: match.time, keep: join.keep) { take(opening) }
      return true
    }
    guard key != 0 else { return false }
    guard let opening = history.openKeys.find(key, at: match.time, keep: join.keep) else {
      counts.unjoined += history.openKeys.wait(
        OpenKeys.Waiting(
          key: key, filter: match.filter, pattern: match.pattern, time: match.time, isDated: match.isDated,
          count: match.count, weight: match.weight, user: match.bytes(match.user, in: line), line: Self.copy(line)))
      return false
    }
    take(opening)
    return true
  }

  /// After an opening: the failures that waited for it, one a call; nil when there are no more. `match` holds it then, and its
  /// line is returned.
  private mutating func nextJoined(_ join: JoinDefinition, _ key: UInt64, _ history: LineHistory) -> [UInt8]? {
    guard key != 0, let (waiting, opening) = history.openKeys.take(key, keep: join.keep) else { return nil }
    match.reset()
    match.filter = waiting.filter
    match.pattern = waiting.pattern
    match.time = waiting.time
    match.isDated = waiting.isDated
    match.count = waiting.count
    match.weight = waiting.weight
    if !waiting.user.isEmpty { match.user = match.keep(waiting.user) }
    take(opening)
    return waiting.line
  }

  private mutating func take(_ opening: OpenKeys.Opening) {
    match.address = opening.address
    match.host = match.keep(Array(opening.address.description.utf8))
    if match.user.isEmpty, !opening.user.isEmpty { match.user = match.keep(opening.user) }
  }

  private static func copy(_ line: borrowing Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(line, 0..<line.count)
    return bytes
  }

  /// A key's text, which is this filter's alone.
  static func joinKey(_ candidate: NativePattern, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(candidate.file)
    for at in range { hasher.combine(text[at]) }
    return UInt64(bitPattern: Int64(hasher.finalize())) | 1
  }
}
