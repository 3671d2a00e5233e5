public import Model

/// The filters that watch one source, together: a line is read, prefiltered, dated and routed once, however many there are.
///
/// ```swift
/// let set = FilterSet([try Filter(definition)])
/// set.scan(lines, clock: &clock, history: history) { match, line, offset in … }
/// ```
/// A set belongs to one thread.
public final class FilterSet {
  /// What became of the lines; only ever grows, but for `unjoined`.
  public struct Counts: Sendable, Equatable {
    public var matched = 0
    public var ignored = 0
    /// Lines that tell of activities; not among those that matched.
    public var activities = 0
    /// Lines that the prefilter could not rule out.
    public var candidates = 0
    /// Lines not believed: what precedes them shows that a client may have written them, or no program of their format writes
    /// them so.
    public var distrusted = 0
    /// Lines that the prefilter left to a filter whose format they are not in.
    public var otherFormat = 0
    /// Patterns that were stopped at a limit.
    public var gaveUp = 0
    /// Failures whose client no line has named (`join`).
    public var unjoined = 0
    /// Openings that were forgotten because there were too many.
    public var forgotten = 0
  }

  public let filters: [Filter]
  public var counts: Counts { scanner.counts }
  /// Called when a pattern was stopped at its limit: filter, pattern. It goes on, but for a while not on long lines when
  /// that happens often.
  public var onGiveUp: ((Int, Int) -> Void)? {
    get { scanner.onGiveUp }
    set { scanner.onGiveUp = newValue }
  }

  private var scanner: LineScanner

  /// - Parameters:
  ///   - keepsCaptures: give every named group with each match, which costs allocations.
  ///   - isPrefiltered: false tries every pattern on every line. The results are the same.
  ///   - readsActivity: false leaves out the patterns of activities, as if the filters had none.
  ///   - old: sets that read the source before. What their filters know of earlier lines (fail2ban's sessions) goes on in
  ///     filters of the same definition.
  public init(
    _ filters: [Filter], keepsCaptures: Bool = false, isPrefiltered: Bool = true, readsActivity: Bool = false,
    continuing old: [FilterSet] = []
  ) {
    self.filters = filters
    scanner = LineScanner(
      filters, keepsCaptures: keepsCaptures, isPrefiltered: isPrefiltered, readsActivity: readsActivity
    ) { definition in
      for set in old {
        for (index, filter) in set.filters.enumerated() where filter.definition == definition {
          if let matcher = set.scanner.matcher(at: index) { return matcher }
        }
      }
      return nil
    }
  }

  /// May several sources be matched with it? A filter of fail2ban's keeps what it knows of its source in itself.
  public var isShareable: Bool { !scanner.hasMatchers }

  /// When a line says that it was written, by a syslog header or by its own stamp; nil where it does not.
  public func time(of line: borrowing Span<UInt8>, clock: inout LogClock) -> Instant? {
    SyslogHeader.parse(line, clock: &clock)?.time ?? Stamp.find(in: line, clock: &clock)
  }

  /// Matches whole lines, back to back, each ended by LF (the last may lack it). `body` gets each match with its line and
  /// the line's offset in `lines`. `isPayload`: they were taken out of a container's envelope, so lines without a syslog
  /// header are those of the filter's program.
  public func scan(
    _ lines: borrowing Span<UInt8>, isPayload: Bool = false, clock: inout LogClock, history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    scanner.isPayload = isPayload
    scanner.scan(lines, clock: &clock, history: history, body)
  }

  /// Matches one journal message. `program` writes the name of the program that a filter, by its place in the set, believes to
  /// have written it, and returns whether that matters; `header` writes what precedes the message in a log file (`HOST
  /// IDENT[PID]: `), which is how fail2ban's filters see an entry. Both and `time` are asked for only when the message may
  /// match. `history` is the source's, as for lines.
  public func scan(
    message: borrowing Span<UInt8>, program: (Int, inout [UInt8]) -> Bool, time: () -> Instant, clock: inout LogClock,
    header: (Int, inout [UInt8]) -> Void, history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>) -> Void
  ) {
    scanner.scan(
      message: message, program: program, time: time, clock: &clock, header: header, history: history, body)
  }
}
