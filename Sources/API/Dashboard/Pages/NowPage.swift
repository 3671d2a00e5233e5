import AuditLog
import HTTPServing
import Inspection
import Model
import NIOHTTP1
import Reporting
import Synchronization
import System

/// What the first page counts, made at most once in a while however many look.
final class NowFigures: Sendable {
  struct Figures: Sendable {
    var made: Instant
    var since: Instant
    var report: ReportData
    var addresses: TopResult
    var kinds: TopResult
    var decisions: [AuditRow]
  }

  static let age = TimeSpan.seconds(5)
  private let last = Mutex<Figures?>(nil)

  func figures(_ audit: AuditInspection, at now: Instant) throws -> Figures {
    if let known = last.withLock({ $0 }), now >= known.made, now.since(known.made) < Self.age { return known }
    let since = now.subtracting(.hours(24))
    var decisions = AuditFilter()
    decisions.kinds = [.ban, .unban]
    let figures = Figures(
      made: now, since: since, report: try audit.reader.report(since: since, until: now),
      addresses: try audit.reader.top(by: .ip, since: since, until: now, limit: 10),
      kinds: try audit.reader.top(by: .kind, since: since, until: now, limit: 10),
      decisions: try audit.reader.page(decisions, limit: 15, before: nil).rows)
    last.withLock { $0 = figures }
    return figures
  }
}

extension ControlRoutes {
  /// How it is, and what happens.
  func nowPage(_ figures: NowFigures) -> Route {
    page("/", "Now") { _, viewer in
      let status = try await handlers.status()
      let now = SystemClock.now()
      let day = try await ask { audit, _ in try figures.figures(audit, at: now) }
      let health: HTML =
        status.warnings.isEmpty
        ? "<p class=\"ok\">All is well: \(counted(status.jails.count, "jail")), \(counted(status.sources.count, "source")).</p>"
        : "\(status.warnings.map(Self.warning))"
      let dryRun: HTML =
        status.dryRun ? "<p class=\"warning\">This is a dry run: nothing is changed in the firewall.</p>" : ""
      let inForce = status.jails.reduce(0) { $0 + $1.bans }
      let timeline = Self.hours(day.report.failures, from: day.since, to: now)
      return """
        <div id="health" data-live>\(dryRun)\(health)</div>
        <div id="figures" data-live>\(HTML.figures([
          (grouped(inForce), "bans in force"), (grouped(day.report.banCount), "bans in 24 hours"),
          (grouped(day.addresses.total), "failures in 24 hours"), (grouped(day.addresses.distinct), "addresses"),
          (grouped(status.firewall.entries), "entries in \(status.firewall.backend)"),
        ]))</div>
        <div id="day" data-live>\(HTML.section("Failures by hour", HTML(trusted: Chart.bars(
          timeline, from: Instant(seconds: day.since.seconds - day.since.seconds % 3600), step: .hours(1),
          label: "Failures in the last 24 hours", colour: "var(--failure)"))))</div>
        <div class="columns">
        <div id="decisions" data-live>\(HTML.section("Newest decisions", Self.decisions(day.decisions)))</div>
        <div id="most" data-live>\(HTML.section("Who fails most", Self.ranking(day.addresses) { HTML.address($0) }))
        \(HTML.section("What was tried", Self.ranking(day.kinds) { "\($0)" }))</div></div>
        """
    }
  }

  static func warning(_ warning: Warning) -> HTML {
    let subject = warning.subject.isEmpty ? "" : " " + warning.subject
    return """
      <p class="warning" role="alert"><code>\(warning.code.rawValue)\(subject)</code><br>\(warning.text) <span class="note">since \(HTML.time(warning.since))</span></p>
      """
  }

  private static func hours(_ points: [ReportData.Point], from since: Instant, to now: Instant) -> [Int] {
    let first = since.seconds - since.seconds % 3600
    var values = [Int](repeating: 0, count: Int((now.seconds - first) / 3600) + 1)
    for point in points {
      let index = Int((point.start.seconds - first) / 3600)
      if values.indices.contains(index) { values[index] += point.count }
    }
    return values
  }

  private static func decisions(_ rows: [AuditRow]) -> HTML {
    HTML.table(
      ["When", "What", "Address", "Jail", "Why"],
      rows.map { row in
        [
          HTML.time(row.time), "\(row.action)", HTML.address(row.id), "\(row.jail)",
          "<span class=\"text\">\(row.action == "unban" ? row.story : "\(counted(row.count, "failure")), \(row.story)")</span>",
        ]
      }, none: "nobody was banned yet")
  }

  /// Names with a bar and a number each.
  static func ranking(_ result: TopResult, _ name: (String) -> HTML) -> HTML {
    guard let most = result.entries.map(\.failures).max(), most > 0 else { return "<p class=\"none\">none</p>" }
    let rows = result.entries.map { entry -> HTML in
      let share = max(1, entry.failures * 100 / most)
      let detail: HTML = entry.detail.isEmpty ? "" : " <span class=\"note\">\(entry.detail)</span>"
      return """
        <tr><th scope="row">\(name(entry.name))\(detail)</th><td class="number">\(grouped(entry.failures))</td><td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="\(share)" height="10" fill="var(--failure)"/></svg></td></tr>
        """
    }
    return "<table>\(rows)</table>"
  }
}
