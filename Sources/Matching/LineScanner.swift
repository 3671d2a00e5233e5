internal import Filters
internal import Model

/// The machinery of a `FilterSet`: a struct that nobody copies, so that the state which every candidate line touches costs
/// no check for exclusive access and no reference count. Its methods are mutating, also those that change nothing: for another
/// one, all of its bytes are copied.
struct LineScanner: ~Copyable {
  var counts = FilterSet.Counts()
  /// Called when a pattern was stopped at its limit: filter, pattern.
  var onGiveUp: ((Int, Int) -> Void)?
  /// Patterns that were stopped at their limit.
  var stopped = StoppedPatterns()

  /// Where each filter's patterns stand among all patterns of the set; the last entry is their number.
  let slots: [Int]
  /// The filter of each of all patterns.
  private let owners: [Int]
  /// Patterns that the prefilter knows nothing of: every line is a candidate for them.
  private let always: PatternBits
  let triesEveryLine: Bool
  let prefilter: PrefilterScratch?
  private let literalSlots: LiteralSlots
  /// The patterns that may match the line at hand.
  var wanted: PatternBits
  let all: PatternBits
  let keepsCaptures: Bool
  private let keepsHistory: Bool
  let framing: RecordFraming
  var scratch = MatchScratch()
  /// The lines at hand are one program's, whose headers may be missing.
  var isPayload = false
  /// What was found in the line at hand.
  var match = Match()
  /// The fields of the line at hand, as the filter at hand has them.
  var fields = FieldTable()
  /// Where `has` undoes escapes.
  var decodedText = DecodedText()
  /// Which column of the source is what, while it is scanned.
  var columnHeader = ColumnHeader()
  /// Their names.
  var fieldNames: [String] = []
  /// The native filters, by their place in the set.
  let natives: [NativeFilter?]
  /// What other engines know of this source, by their filters' place.
  let matchers: [(any ForeignMatcher)?]
  let hasMatchers: Bool
  /// An entry of the journal as a line, and what is asked about it.
  var entryLine: [UInt8] = []
  var entryProgram: [UInt8] = []
  /// A subject that is not in the log as such.
  var composed: [UInt8] = []

  /// `continuing`: the matcher that a filter of fail2ban's goes on with; nil for a new one.
  init(
    _ filters: [Filter], keepsCaptures: Bool, isPrefiltered: Bool, readsActivity: Bool = false,
    continuing: (FilterDefinition) -> (any ForeignMatcher)? = { _ in nil }
  ) {
    var slots = [0]
    var required: [RequiredLiterals?] = []
    for filter in filters {
      required += filter.requiredLiterals
      slots.append(required.count)
    }
    self.slots = slots
    var all = PatternBits(count: required.count, all: true)
    var left: Set<Int> = []
    if !readsActivity {
      for (filter, slot) in zip(filters, slots) { left.formUnion(filter.activityPatterns.map { slot + $0 }) }
      for slot in left {
        required[slot] = nil
        all.remove(slot)
      }
    }
    owners = filters.indices.flatMap { filter in Array(repeating: filter, count: slots[filter + 1] - slots[filter]) }
    let prefilter = isPrefiltered ? Prefilter(required).flatMap { PrefilterScratch($0) } : nil
    self.prefilter = prefilter
    literalSlots = prefilter?.prefilter.slots ?? LiteralSlots([])
    var always = PatternBits(count: required.count)
    for slot in required.indices where (required[slot] == nil || prefilter == nil) && !left.contains(slot) {
      always.insert(slot)
    }
    self.always = always
    triesEveryLine = !always.isEmpty
    wanted = always
    self.all = all
    self.keepsCaptures = keepsCaptures
    natives = filters.map { filter in
      if case .native(let native) = filter.body { native } else { nil }
    }
    matchers = filters.map { filter in
      guard case .foreign(let foreign) = filter.body else { return nil }
      return continuing(filter.definition) ?? foreign.makeMatcher()
    }
    hasMatchers = matchers.contains { $0 != nil }
    keepsHistory = natives.contains { $0?.readsHistory == true }
    framing = RecordFraming(natives)
  }

  func matcher(at filter: Int) -> (any ForeignMatcher)? { matchers[filter] }

  /// Matches whole lines, back to back, each ended by LF (the last may lack it). `body` gets each match with its line and
  /// the line's offset in `lines`.
  mutating func scan(
    _ lines: borrowing Span<UInt8>, clock: inout LogClock, history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    framing.enter(lines, history)
    swap(&columnHeader, &history.columnHeader)
    defer { swap(&columnHeader, &history.columnHeader) }
    if triesEveryLine || prefilter == nil || !prefilter!.scan(lines) {
      scanEveryLine(lines, &clock, history, body)
    } else {
      scanCandidates(lines, &clock, history, body)
    }
    if keepsHistory { history.keep(lines) }
  }

  /// Every line, with what the prefilter found in it.
  private mutating func scanEveryLine(
    _ lines: borrowing Span<UInt8>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    let isScanned = prefilter?.scan(lines) ?? false
    let hits = prefilter?.hits ?? []
    var hit = 0
    var at = 0
    while at < lines.count {
      let end = lines.firstLF(from: at)
      if isScanned { want(upTo: end, of: hits, &hit) } else { wantAll() }
      handle(lines, at..<end, &clock, history, body)
      at = end + 1
    }
  }

  /// Only the lines in which the prefilter found something.
  private mutating func scanCandidates(
    _ lines: borrowing Span<UInt8>, _ clock: inout LogClock, _ history: LineHistory,
    _ body: (borrowing Match, borrowing Span<UInt8>, Int) -> Void
  ) {
    let hits = prefilter!.hits
    var hit = 0
    while hit < hits.count {
      let found = Int(hits[hit] >> 32) - 1
      let start = lines.lineStart(before: found)
      let end = lines.firstLF(from: found)
      want(upTo: end, of: hits, &hit)
      handle(lines, start..<end, &clock, history, body)
    }
  }

  /// Marks the patterns whose literals end at or before `end`.
  mutating func want(upTo end: Int, of hits: [UInt64], _ hit: inout Int) {
    wanted.assign(always)
    while hit < hits.count, Int(hits[hit] >> 32) <= end {
      literalSlots.insert(Int(truncatingIfNeeded: hits[hit] & 0xFFFF_FFFF), into: &wanted)
      hit += 1
    }
  }

  mutating func wantAll() { wanted.assign(all) }

  /// The first filter from `filter` on of which a pattern is wanted; nil when there is none.
  mutating func nextWanted(from filter: Int) -> Int? {
    guard let slot = wanted.next(from: slots[filter]), slot < owners.count else { return nil }
    return owners[slot]
  }
}
