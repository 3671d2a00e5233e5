public import Model
public import Settings
internal import System

/// Makes reports, one at a time and in the background, keeps them, and sends those of the schedule.
///
/// ```swift
/// let maker = ReportMaker(state: "/var/lib/bailiff", settings: { settings }, make: { try Report(…) }, send: { try … })
/// let entry = try maker.ask(since: start, until: end, by: "alice")
/// let page = try maker.page(entry.id, .html)
/// ```
public final class ReportMaker: Sendable {
  /// A report on its way to an output.
  public struct Letter: Sendable {
    public var report: ReportReply
    public var output: String
    /// What it says, a line each.
    public var summary: [String]
    public var format: ReportSettings.Format
    /// The whole of it in that format.
    public var bytes: [UInt8]
  }

  private struct State {
    var waiting: [ReportReply] = []
    var isStopping = false
    /// When what did not succeed is tried again.
    var retry = Instant(microseconds: .min)
  }

  private let archive: ReportArchive
  private let settings: @Sendable () -> ReportSettings
  private let make: @Sendable (_ since: Instant, _ until: Instant, _ made: Instant) throws -> Report
  private let send: @Sendable (Letter) throws -> Void
  private let state = Monitor(State())

  static let mostWaiting = 8
  static let mostKept = 1000
  /// How long a mail that is refused is tried again.
  static let patience = TimeSpan.hours(48)

  public init(
    state directory: String, settings: @escaping @Sendable () -> ReportSettings,
    make: @escaping @Sendable (_ since: Instant, _ until: Instant, _ made: Instant) throws -> Report,
    send: @escaping @Sendable (Letter) throws -> Void
  ) {
    archive = ReportArchive(directory: "\(directory)/reports")
    (self.settings, self.make, self.send) = (settings, make, send)
  }

  /// Begins to work. What waits is lost with the process; the schedule's is made at the next start.
  public func start() {
    _ = ServiceThread("bailiff-reports") { [self] in
      keepSchedule(at: SystemClock.now())
      while true {
        switch next() {
        case .report(let entry): finish(entry)
        case .schedule: keepSchedule(at: SystemClock.now())
        case .end: return
        }
      }
    }
  }

  /// What is under way is not waited for.
  public func stop() { state.change { $0.isStopping = true } }

  // MARK: Questions

  /// Newest first, with those that wait.
  public var reports: [ReportReply] {
    let waiting = state.withLock { $0.waiting }
    return waiting.reversed() + archive.entries().filter { entry in !waiting.contains { $0.id == entry.id } }
  }

  /// - Throws: `RequestError` when too many wait.
  public func ask(since: Instant, until: Instant, by: String) throws(RequestError) -> ReportReply {
    let entry = ReportReply(since: since, until: until, made: SystemClock.now(), by: by)
    let isTaken = state.change { state in
      guard state.waiting.count < Self.mostWaiting else { return false }
      state.waiting.append(entry)
      return true
    }
    guard isTaken else {
      throw RequestError(.tooMany, "\(Self.mostWaiting) reports wait to be made", remedy: "ask again in a minute")
    }
    return entry
  }

  /// - Throws: `RequestError` where there is none.
  public func page(_ id: String, _ format: ReportSettings.Format) throws(RequestError) -> [UInt8] {
    let entry = try find(id)
    switch entry.state {
    case .making: throw RequestError(.rejected, "the report \(id) is still being made", remedy: "ask again in a moment")
    case .failed: throw RequestError(.rejected, "the report \(id) could not be made: \(entry.problem ?? "")")
    case .ready: break
    }
    if format == .pdf, entry.pdfBytes == nil {
      throw RequestError(.rejected, "there is no PDF of it: \(entry.pdfProblem ?? "")", remedy: "ask for html")
    }
    do { return try archive.read(entry, format.rawValue) } catch { throw RequestError(.failed, "\(error)") }
  }

  public func find(_ id: String) throws(RequestError) -> ReportReply {
    guard let entry = reports.first(where: { $0.id == id }) else {
      throw RequestError(.notFound, "there is no report \(id)", remedy: "bailiff report list")
    }
    return entry
  }

  public func remove(_ id: String) throws(RequestError) {
    let entry = try find(id)
    guard entry.state != .making else { throw RequestError(.rejected, "the report \(id) is still being made") }
    do { try archive.remove(entry) } catch { throw RequestError(.failed, "\(error)") }
  }

  // MARK: Work

  private enum Work {
    case report(ReportReply)
    case schedule
    case end
  }

  private func next() -> Work {
    let found: Work? = state.wait(for: 30) { state in
      state.isStopping ? .end : state.waiting.first.map { .report($0) }
    }
    return found ?? .schedule
  }

  private func finish(_ waiting: ReportReply) {
    let entry = made(waiting).entry
    // First written, then taken from those that wait: it is listed all the time.
    try? archive.write(entry)
    state.withLock { $0.waiting.removeAll { $0.id == entry.id } }
  }

  private func made(_ waiting: ReportReply) -> (entry: ReportReply, summary: [String]) {
    var entry = waiting
    do {
      let report = try make(entry.since, entry.until, entry.made)
      let page = Array(report.html.utf8)
      try archive.write(page, of: entry, "html")
      (entry.state, entry.bytes) = (.ready, page.count)
      do throws(RequestError) {
        try PDFPrinter.print(archive.path(entry, "html"), to: archive.path(entry, "pdf"))
        entry.pdfBytes = try archive.takeOver(entry, "pdf")
      } catch { entry.pdfProblem = error.message }
      return (entry, report.summary)
    } catch {
      (entry.state, entry.problem) = (.failed, "\(error)")
      return (entry, [])
    }
  }

  // MARK: Schedule

  private func keepSchedule(at now: Instant) {
    let settings = settings()
    let kept = archive.entries()
    for (index, entry) in kept.enumerated()
    where index >= Self.mostKept || settings.keep.map({ now.since(entry.made) > $0 }) ?? false {
      try? archive.remove(entry)
    }
    guard let schedule = settings.schedule, state.withLock({ $0.retry <= now }) else { return }
    let period = schedule.period(before: now)
    if let known = kept.first(where: { $0.schedule == schedule.rawValue && $0.until == period.until }) {
      guard let output = settings.output, known.sent == nil, known.state == .ready,
        now.since(known.made) < Self.patience
      else { return }
      let summary = (try? make(known.since, known.until, known.made))?.summary ?? []
      deliver(known, summary, to: output, settings.format, at: now)
      return
    }
    let made = made(ReportReply(since: period.since, until: period.until, made: now, by: nil, schedule: schedule))
    guard made.entry.state == .ready else { return tryLater(now) }
    guard let output = settings.output else {
      try? archive.write(made.entry)
      return
    }
    deliver(made.entry, made.summary, to: output, settings.format, at: now)
  }

  private func deliver(
    _ report: ReportReply, _ summary: [String], to output: String, _ wanted: ReportSettings.Format, at now: Instant
  ) {
    var entry = report
    entry.output = output
    // A page is better than nothing where there is no PDF.
    let format = wanted == .pdf && entry.pdfBytes == nil ? .html : wanted
    do {
      let bytes = try archive.read(entry, format.rawValue)
      try send(Letter(report: entry, output: output, summary: summary, format: format, bytes: bytes))
      (entry.sent, entry.sendProblem) = (now, nil)
    } catch {
      entry.sendProblem = "\(error)"
      tryLater(now)
    }
    try? archive.write(entry)
  }

  private func tryLater(_ now: Instant) { state.withLock { $0.retry = now.adding(.minutes(10)) } }
}
