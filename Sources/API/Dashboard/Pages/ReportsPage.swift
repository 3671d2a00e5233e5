import HTTPServing
import Model
import NIOHTTP1
import Reporting
import Settings
import System

extension ControlRoutes {
  /// The reports that are kept, and a form that has one made.
  var reportsPage: Route {
    page("/reports", "Reports") { _, viewer in
      let maker = try maker
      let reports = try await blocking { maker.reports }
      let table = HTML.table(
        ["From", "To", "Made", "By", "State", "", ""],
        reports.map { report in
          [
            HTML.time(report.since), HTML.time(report.until), HTML.time(report.made),
            "\(report.by ?? report.schedule ?? "")", "<span class=\"text\">\(report.standing)</span>",
            Self.links(report),
            viewer.form(
              "/reports/remove", [("id", report.id)], button: "remove", label: "Remove the report \(report.id)"),
          ]
        }, none: "no report is kept yet")
      return """
        \(Self.reportForm(viewer))<div id="reports" data-live>\(table)</div>
        \(Self.schedule(context.settings().reports))
        \(HTML.section("In the terminal", HTML.command("bailiff report --since 7d --output report.html") + HTML.command("bailiff report list")))
        """
    }
  }

  private static func links(_ report: ReportReply) -> HTML {
    guard report.state == .ready else { return "" }
    let path = "/reports/\(HTML.encoded(report.id))"
    let pdf: HTML = report.pdfBytes == nil ? "" : " <a href=\"\(HTML.link(path, [("format", "pdf")]))\">PDF</a>"
    return "<a href=\"\(path)\">open</a>\(pdf)"
  }

  private static func reportForm(_ viewer: Viewer) -> HTML {
    guard viewer.mayOperate, let csrf = viewer.csrf else { return "" }
    return """
      <form class="filters" method="post" action="/reports/make"><input type="hidden" name="csrf" value="\(csrf)">
      <label>From <input name="since" value="7d" maxlength="64" placeholder="7d, 2026-11-01"></label>
      <label>To <input name="until" maxlength="64" placeholder="now"></label><button type="submit">make</button></form>
      """
  }

  private static func schedule(_ settings: ReportSettings) -> HTML {
    let kept: HTML =
      settings.keep.map { "Reports are kept for \($0.brief)." } ?? "Reports are kept until somebody removes them."
    guard let schedule = settings.schedule else {
      return
        "<p class=\"caption\">\(kept) None is made by itself: <code>reports: {schedule: weekly, output: NAME}</code></p>"
    }
    let sent: HTML = settings.output.map { " It is sent to \($0)." } ?? ""
    return "<p class=\"caption\">\(kept) One is made by itself, \(schedule.rawValue).\(sent)</p>"
  }

  /// The file itself, for who has a session.
  var reportFileRoute: Route {
    let authenticator = authenticator
    return Route(
      .GET, "/reports/{id}",
      .waiting { request in
        do {
          _ = try authenticator.authenticate(request, needs: .look, at: SystemClock.now())
          return try await file(request.path.last ?? "", request.query("format") == "pdf" ? .pdf : .html)
        } catch {
          let error = RequestError(error)
          guard error.kind == .unauthenticated else { return Self.refusal(error) }
          return Self.redirect(HTML.link("/login", [("next", "/reports")]))
        }
      })
  }

  var reportActions: [Route] {
    [
      action("/reports/make", .operate) { form, who in
        let report = try await make(ReportRequest(since: form.text("since"), until: form.text("until")), who)
        return Said(done: .reportMade, id: report.id).link("/reports")
      },
      action("/reports/remove", .operate) { form, who in
        let id = try form.required("id")
        try await removeReport(id, who)
        return Said(done: .reportRemoved, id: id).link("/reports")
      },
    ]
  }
}
