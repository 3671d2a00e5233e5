/// A range of bytes in a batch.
public struct ByteRange: Hashable, Sendable {
  public var start: UInt32
  public var count: UInt32

  public static let empty = ByteRange(start: 0, count: 0)

  public init(start: UInt32, count: UInt32) {
    self.start = start
    self.count = count
  }

  public var isEmpty: Bool { count == 0 }
}

/// What a line is to the attempt that it tells of: daemons write several lines about one guess.
public enum AttemptPart: UInt8, Sendable {
  /// The filter does not say; each line counts.
  case alone
  /// The line represents a whole attempt.
  case whole
  /// The first line of an attempt: the next `whole` line of the connection is the same attempt.
  case begins
  /// The last line of a connection: it counts only if nothing of the connection has counted.
  case ends
  /// Lines of the same key are one act for a time (`Failure.actLength`), whose first line counts.
  case together
}

/// A line that a pattern matched, without a single heap object of its own: texts are ranges of the batch's bytes, and
/// jails, patterns and sources are numbers that the engine gave out (`FailureBatch.Names`).
public struct Failure: Sendable {
  /// When it happened, by the line's own stamp or the journal's; when it was read, where the line has none.
  public var time: Instant
  /// The address as the daemon wrote it, before any prefix is applied. Zero when the id is a name.
  public var address: Address
  /// The client's port, where the line says; 0 where it does not.
  public var port: UInt16 = 0
  public var attempt = AttemptPart.alone
  /// With the address it says which connection the line is of: made of the client's port and the pid in the header, as far as
  /// there are any; for `together` of the key's texts. 0 where there is nothing.
  public var connection: UInt64 = 0
  /// For `together`: seconds.
  public var actLength: UInt16 = 0
  /// The id when it is no address (fail2ban's `<F-ID>`), else empty.
  public var name: ByteRange
  public var user: ByteRange
  /// The rule of a web application firewall that was hit; empty elsewhere.
  public var rule = ByteRange.empty
  /// The application that it was tried at, where the filter knows several: a virtual host. It is not stored.
  public var app = ByteRange.empty
  /// The account or application that counts by itself in its jail, hashed; 0: the address counts as a whole.
  public var part: UInt64 = 0
  /// The line as it was read, without its line end.
  public var line: ByteRange
  /// The journal cursor of the entry; empty for files.
  public var cursor: ByteRange
  /// The file offset of the line's first byte; 0 for the journal.
  public var offset: UInt64
  public var jail: UInt16
  public var pattern: UInt32
  public var source: UInt32
  /// How many failures the line represents ("message repeated 5 times").
  public var count: UInt32
  /// What each of them counts against `maxretry`; 0 is recorded but never bans.
  public var weight: UInt32
  /// Is `name` a host name from the log? It is recorded; what counts are the addresses that it resolves to, if any.
  public var isHostName = false
  /// Was it counted before a restart already? Then it fills the window again, and decides nothing.
  public var isPast = false

  public init(time: Instant, address: Address, jail: UInt16, pattern: UInt32, source: UInt32) {
    self.time = time
    self.address = address
    self.jail = jail
    self.pattern = pattern
    self.source = source
    name = .empty
    user = .empty
    line = .empty
    cursor = .empty
    offset = 0
    count = 1
    weight = 1
  }
}

/// Failures on their way from the reader to the decider to the store, with how far their sources are read after them. All
/// texts share one array, so a batch costs two allocations however many failures it holds, and none when it is used again.
public struct FailureBatch: Sendable {
  public private(set) var failures: [Failure] = []
  /// Lines of those who were let in; in the log they are where their lines are in `bytes` among those of `failures`.
  public private(set) var activities: [Activity] = []
  /// What deciding found that a person should look at; stored with the rest.
  public var alerts: [Alert] = []
  /// What alerts remember from now on; stored with the rest.
  public var sightings: [Sighting] = []
  public private(set) var bytes: [UInt8] = []
  /// Committed together with the failures: what was read up to here is never read again, and never lost.
  public var positions: [SourcePosition] = []

  public init() {}

  public var isEmpty: Bool { hasNoRows && positions.isEmpty }

  /// Is there nothing to be stored but positions?
  public var hasNoRows: Bool { failures.isEmpty && activities.isEmpty && alerts.isEmpty && sightings.isEmpty }

  public mutating func append(_ failure: Failure) { failures.append(failure) }

  public mutating func append(_ activity: Activity) { activities.append(activity) }

  /// Changes what a failure counts.
  public mutating func setWeight(_ weight: UInt32, at index: Int) { failures[index].weight = weight }

  /// Says where in the journal a failure is.
  public mutating func setCursor(_ cursor: ByteRange, at index: Int) { failures[index].cursor = cursor }

  /// The same of an activity.
  public mutating func setActivityCursor(_ cursor: ByteRange, at index: Int) { activities[index].cursor = cursor }

  /// Keeps the activities for which `keep` says so; it may change them.
  public mutating func keepActivities(_ keep: (inout Activity) -> Bool) {
    activities = activities.compactMap { activity in
      var changed = activity
      return keep(&changed) ? changed : nil
    }
  }

  /// Keeps the failures for which `keep` says so; it may change them.
  public mutating func keepFailures(_ keep: (inout Failure) -> Bool) {
    failures = failures.compactMap { failure in
      var changed = failure
      return keep(&changed) ? changed : nil
    }
  }

  /// Copies `text` into the batch.
  public mutating func store(_ text: borrowing Span<UInt8>) -> ByteRange {
    let range = ByteRange(start: UInt32(truncatingIfNeeded: bytes.count), count: UInt32(truncatingIfNeeded: text.count))
    // Safe: the pointer is used only inside the call; appending through it is one memcpy.
    unsafe text.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    return range
  }

  /// Appends all of `other`: its rows with their texts, and its positions, which take the place of
  /// earlier ones of their sources.
  public mutating func append(_ other: FailureBatch) {
    // An empty range has no bytes, so it does not matter where it begins.
    let moved = UInt32(truncatingIfNeeded: bytes.count)
    bytes.append(contentsOf: other.bytes)
    failures.reserveCapacity(failures.count + other.failures.count)
    for var failure in other.failures {
      failure.name.start &+= moved
      failure.user.start &+= moved
      failure.rule.start &+= moved
      failure.app.start &+= moved
      failure.line.start &+= moved
      failure.cursor.start &+= moved
      failures.append(failure)
    }
    for var activity in other.activities {
      activity.user.start &+= moved
      activity.target.start &+= moved
      activity.detail.start &+= moved
      activity.line.start &+= moved
      activity.cursor.start &+= moved
      activities.append(activity)
    }
    alerts += other.alerts
    sightings += other.sightings
    for position in other.positions {
      positions.removeAll { $0.source == position.source }
      positions.append(position)
    }
  }

  public mutating func removeAll() {
    failures.removeAll(keepingCapacity: true)
    activities.removeAll(keepingCapacity: true)
    alerts.removeAll()
    sightings.removeAll()
    bytes.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
  }

  /// The text of a range, as valid UTF-8: what is not becomes U+FFFD.
  public func text(_ range: ByteRange) -> String {
    String(decoding: bytes[Int(range.start)..<Int(range.start) + Int(range.count)], as: UTF8.self)
  }

  /// Lends the bytes of a range.
  public func withBytes<Result>(_ range: ByteRange, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result
  {
    try body(bytes.span.extracting(Int(range.start)..<Int(range.start) + Int(range.count)))
  }
}

/// What the numbers in failures mean; fixed between two reloads.
public struct Names: Hashable, Sendable {
  public var jails: [String]
  /// Pattern names with the filter they are in.
  public var patterns: [PatternName]
  public var sources: [String]

  public init(jails: [String], patterns: [PatternName], sources: [String]) {
    self.jails = jails
    self.patterns = patterns
    self.sources = sources
  }
}

/// A pattern as the audit names it.
public struct PatternName: Hashable, Sendable {
  public var filter: String
  public var name: String
  /// The file that the filter was read from.
  public var file: String

  public init(filter: String, name: String, file: String) {
    self.filter = filter
    self.name = name
    self.file = file
  }
}
