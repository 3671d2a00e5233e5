import AuditLog
import HTTPServing
import Inspection
import Model
import NIOHTTP1
import System

extension ControlRoutes {
  /// Everything about one address: why it is banned or not, by which lines, and what can be done.
  var addressPage: Route {
    page("/address", "Address") { request, viewer in
      let question = try ExplainQuestion(request)
      let (known, misses) = try await ask { audit, context in
        let now = SystemClock.now()
        let known = try audit.explain(
          question.identity, bans: max(question.bans, 10), settings: context.settings(), at: now)
        let misses = try audit.nearMisses(
          question.identity, jails: known.jails.map(\.jail), context.settings(),
          since: now.subtracting(.hours(90 * 24)),
          at: now)
        return (known, misses)
      }
      let id = known.id
      let state: HTML =
        known.banned
        ? "<div class=\"warning\"><b>\(id)</b> is banned. \(viewer.form("/bans/unban", [("id", id)], button: "unban", label: "Lift the ban of \(id)"))</div>"
        : "<div class=\"ok\"><b>\(id)</b> is not banned. \(viewer.form("/bans/ban", [("id", id)], button: "ban", label: "Ban \(id)"))</div>"
      let reasons: HTML = "<ul>\(known.reasons.map { "<li>\($0.text)</li>" as HTML })</ul>"
      let windows = HTML.table(
        ["Jail", "Failures that count now", "Limit", "Within", "Spared by"],
        known.windows.map { window in
          [
            "\(window.jail)", "\(window.weight)", "\(window.maxretry)", "\(TimeSpan.seconds(window.findtime).brief)",
            "\(window.ignoredBy ?? "")",
          ]
        }, none: "it is in no jail's window")
      let counts = HTML.table(
        ["Jail", "Failures", "First", "Last"],
        known.jails.map { ["\($0.jail)", "\(grouped($0.failures))", HTML.time($0.first), HTML.time($0.last)] },
        none: "no failures are stored")
      return """
        \(state)\(known.origin.isEmpty ? "" : "<p>From \(known.origin.text), as the databases say.</p>" as HTML)\(reasons)
        \(HTML.section("Now", windows))
        \(Self.whatIf(id, misses, known.jails.map(\.jail)))
        \(HTML.section("Bans, \(known.banCount) in all", "\(known.bans.enumerated().map { Self.story($0.element, isOpen: $0.offset == 0) })"))
        \(HTML.section("Failures by jail", counts))
        \(HTML.section("Newest failures", Self.rows(known.recent)))
        \(HTML.section("In the terminal", HTML.command("bailiff explain \(id)") + HTML.command("bailiff audit --ip \(id)") + HTML.command("bailiff allow \(id) --for 1d --why …")))
        <p><a href="\(HTML.link("/audit", [("ip", id)]))">all that is stored of it</a></p>
        """
    }
  }

  /// "With maxretry 3 it would have been banned at 14:02."
  private static func whatIf(_ id: String, _ misses: [NearMiss], _ jails: [String]) -> HTML {
    guard !jails.isEmpty else { return "" }
    let sentences = misses.map { miss in
      "<li>In \(miss.jail), where maxretry is \(miss.maxretry): with maxretry \(miss.needed) it would have been banned at \(HTML.time(miss.time)).</li>"
        as HTML
    }
    let links = jails.map { jail in
      "<a href=\"\(HTML.link("/what-if", [("jail", jail), ("id", id)]))\">\(jail)</a> " as HTML
    }
    return HTML.section(
      "What if", "\(sentences.isEmpty ? "" : "<ul>\(sentences)</ul>" as HTML)<p>Try other limits of \(links)</p>")
  }

  private static func story(_ ban: ExplainReply.BanStory, isOpen: Bool) -> HTML {
    let end: HTML =
      ban.ended.map { "; ended \(HTML.time($0)), \(ban.endCause)" }
      ?? (ban.until.map { "; until \(HTML.time($0))" } ?? "; permanent")
    let held: HTML =
      ban.dryRun
      ? ", decided by a dry run" : ban.applied == nil ? ", <span class=\"bad\">never in the firewall</span>" : ""
    let by: HTML = ban.uid == nil ? "" : ", by uid \(ban.uid ?? 0): <code>\(ban.command)</code>"
    return """
      <details\(isOpen ? " open" as HTML : "")><summary>Ban \(ban.number) in \(ban.jail), \(HTML.time(ban.since))\(end)\(held)\(by)</summary>\(Self.rows(ban.failures))</details>
      """
  }

  /// Rows of the audit, with the line that each is about.
  static func rows(_ rows: [AuditRow]) -> HTML {
    HTML.table(
      ["When", "What", "Address", "Jail", "User", "Line, or what was done"],
      rows.map { row in
        [
          HTML.time(row.time), row.kind == .failure ? "\(row.pattern)" : "\(row.action)", HTML.address(row.id),
          "\(row.jail)", "\(row.user)",
          "<code>\(row.story)</code>\(row.source.isEmpty ? "" : " <span class=\"note\">\(row.source)</span>" as HTML)",
        ]
      }, none: "nothing")
  }
}
