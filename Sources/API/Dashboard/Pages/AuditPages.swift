import AuditLog
import HTTPServing
import Inspection
import Model
import NIOHTTP1
import System

extension HTTPRequest {
  /// Without what a form left empty, which asks for nothing.
  var filled: HTTPRequest {
    var request = self
    request.query.removeAll { $0.value.isEmpty }
    return request
  }
}

/// What is stored, asked by form: the same questions as the API's.
extension ControlRoutes {
  var auditPage: Route {
    page("/audit", "Audit") { request, _ in
      let request = request.filled
      let question = try AuditQuestion(request)
      let page = try await ask { audit, _ in
        try audit.reader.page(
          question.filter, limit: question.limit ?? 100, before: question.before, mostRead: 1_000_000)
      }
      let asked = request.query.filter { $0.name != "before" && $0.name != "limit" }
      let link: (String, [(name: String, value: String?)]) -> String = { path, more in
        HTML.link(path, asked.map { ($0.name, $0.value) } + more)
      }
      let next: HTML =
        page.next.map { "<a rel=\"next\" href=\"\(link("/audit", [("before", "\($0)")]))\">older</a>" } ?? ""
      let fields: [HTML] = [
        ("since", "From", "24h, today, 2026-11-21"), ("until", "Until", ""), ("ip", "Address or block", ""),
        ("user", "User", ""), ("jail", "Jail", ""), ("text", "Text in the line", ""),
      ].map { name, label, hint in
        """
        <label>\(label) <input name="\(name)" value="\(request.query(name) ?? "")" placeholder="\(hint)" maxlength="512" size="14"></label>
        """
      }
      let kinds = AuditRow.Kind.allCases.map(\.rawValue)
      return """
        <form class="filters" action="/audit">\(fields)<label>Kind \(Self.select("kind", kinds, request.query("kind")))</label><button type="submit">ask</button></form>
        \(Self.rows(page.rows))
        <p class="pages">\(next) <a href="\(link("/api/v1/audit", []))">all of it, as JSON lines</a></p>
        """
    }
  }

  var activityPage: Route {
    page("/activity", "Activity") { request, _ in
      let request = request.filled
      let question = try ActivityQuestion(request)
      let limit = min(question.limit, 100)
      let (rows, alerts) = try await ask { audit, _ in
        (
          try audit.reader.activities(question.filter, limit: limit).map { ActivityReply($0) },
          try audit.alerts(AlertFilter(), limit: 20, hasLines: false)
        )
      }
      let alertTable = HTML.table(
        ["When", "Alert", "Account", "Address", "What happened"],
        alerts.map { alert in
          [
            HTML.time(alert.time), "\(alert.kind.rawValue)", "\(alert.user ?? "")", HTML.address(alert.address ?? ""),
            "<span class=\"text\">\(alert.text)</span>",
          ]
        }, none: "nothing a person should look at")
      let table = HTML.table(
        ["When", "What", "Who", "As whom", "From", "Detail"],
        rows.map { row in
          [
            HTML.time(row.time), "\(row.event.rawValue)", "\(row.user ?? "")", "\(row.target ?? "")",
            HTML.address(row.address ?? ""), "<code>\(row.detail ?? row.line)</code>",
          ]
        }, none: "nobody did anything that a filter knows as an activity")
      let older: HTML =
        rows.count == limit
        ? "<a rel=\"next\" href=\"\(HTML.link("/activity", [("user", request.query("user")), ("ip", request.query("ip")), ("event", request.query("event")), ("before", rows.last.map { "\($0.number)" })]))\">older</a>"
        : ""
      return """
        \(HTML.section("Alerts", alertTable))
        <form class="filters" action="/activity"><label>Account <input name="user" value="\(request.query("user") ?? "")" maxlength="256"></label>
        <label>Address or block <input name="ip" value="\(request.query("ip") ?? "")" maxlength="64"></label>
        <label>What \(Self.select("event", ActivityEvent.allCases.map(\.rawValue), request.query("event")))</label><button type="submit">ask</button></form>
        \(HTML.section("Who was let in, and did what", table))<p class="pages">\(older)</p>
        """
    }
  }

  /// What web application firewalls and web filters saw, by rule and by kind of attack.
  var wafPage: Route {
    page("/waf", "WAF") { request, _ in
      let request = request.filled
      let range = try TimeRange(request, since: "7d", now: SystemClock.now())
      let (rules, kinds) = try await ask { audit, _ in
        (
          try audit.reader.top(by: .rule, since: range.since, until: range.until, limit: 50),
          try audit.reader.top(by: .kind, since: range.since, until: range.until, limit: 30)
        )
      }
      let snippets = rules.entries.filter { Self.isNumber($0.name) }.prefix(10).map { entry -> HTML in
        """
        <details><summary>Rule \(entry.name), an exception</summary><p>For ModSecurity and Coraza, only where it is wrong about an honest request, and behind the include of the rules:</p><pre>SecRule REQUEST_URI "@beginsWith /the/path" "id:1000\(String(entry.name.suffix(4))),phase:1,pass,nolog,ctl:ruleRemoveById=\(entry.name)"</pre></details>
        """
      }
      return """
        <form class="filters" action="/waf"><label>From <input name="since" value="\(request.query("since") ?? "7d")" maxlength="32"></label><button type="submit">show</button></form>
        \(HTML.section("Rules by hits", Self.ranking(rules) { "\($0)" }))
        \(HTML.section("Kinds of attack", Self.ranking(kinds) { "\($0)" }))
        \(snippets.isEmpty ? "" : HTML.section("Exceptions", "\(snippets)"))
        """
    }
  }

  /// The names of rules come from a log; what is not a number is nothing to paste into a server's settings.
  private static func isNumber(_ name: String) -> Bool {
    (1...9).contains(name.utf8.count) && name.utf8.allSatisfy { (48...57).contains($0) }
  }
}
