public import Model
internal import Settings

/// A report that was made, or is being made.
public struct ReportReply: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable { case making, ready, failed }

  /// `20261129-060000-3f9a`
  public var id: String
  public var since: Instant
  public var until: Instant
  /// When it was asked for.
  public var made: Instant
  public var state: State
  /// Who asked; nil: the schedule.
  public var by: String?
  /// Of the schedule that made it.
  public var schedule: String?
  /// Why there is none.
  public var problem: String?
  /// Of the page.
  public var bytes: Int?
  public var pdfBytes: Int?
  /// Why there is no PDF.
  public var pdfProblem: String?
  /// When it was sent, and to which output; or what the last try came to.
  public var sent: Instant?
  public var output: String?
  public var sendProblem: String?

  init(since: Instant, until: Instant, made: Instant, by: String?, schedule: ReportSettings.Schedule? = nil) {
    // A time, in which no two are made, and what nobody can guess.
    let parts = CivilTime(made)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let mark = String(UInt16.random(in: 0x1000 ... .max), radix: 16)
    id =
      "\(parts.year)\(two(parts.month))\(two(parts.day))-\(two(parts.hour))\(two(parts.minute))\(two(parts.second))-\(mark)"
    self.since = since
    self.until = until
    self.made = made
    self.by = by
    self.schedule = schedule?.rawValue
    state = .making
  }
}
