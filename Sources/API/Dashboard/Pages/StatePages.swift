import HTTPServing
import Inspection
import Model
import NIOHTTP1
import Settings
import System

/// How the parts of the machine are.
extension ControlRoutes {
  var jailsPage: Route {
    page("/jails", "Jails") { _, _ in
      let status = try await handlers.status()
      let filters = try await blocking { context.settings().library.all().filters }.map { FilterReply($0) }
      let jails = HTML.table(
        ["Jail", "State", "Failures", "In windows", "Bans", "Bans ever"],
        status.jails.map { jail in
          [
            "<a href=\"\(HTML.link("/audit", [("jail", jail.name)]))\">\(jail.name)</a>", Self.state(jail.problem),
            "\(grouped(jail.failures))", "\(grouped(jail.tracked))",
            "<a href=\"\(HTML.link("/bans", [("jail", jail.name)]))\">\(grouped(jail.bans))</a>",
            "\(grouped(jail.bansEver))",
          ]
        }, none: "there is no jail")
      let sources = HTML.table(
        ["Source", "State", "Lines", "Matched", "Ignored", "Not matched", "Jails"],
        status.sources.map { source in
          [
            "\(source.name)", Self.state(source.problem), "\(grouped(source.read))", "\(grouped(source.matched))",
            "\(grouped(source.ignored))", "\(grouped(source.unmatched))", "\(source.jails.joined(separator: ", "))",
          ]
        }, none: "nothing is read")
      let known = HTML.table(
        ["Filter", "What it sees", "Patterns", "Samples"],
        filters.map {
          ["\($0.filter)", "<span class=\"text\">\($0.summary)</span>", "\($0.patterns)", "\($0.samples)"]
        }, none: "none")
      return """
        <div id="jails" data-live>\(HTML.section("Jails", jails))\(HTML.section("Sources", sources))</div>
        <section><details><summary>\(counted(filters.count, "filter")) to choose from</summary>\(known)</details></section>
        <p><a href="/try">Try lines of a log</a> on a filter.</p>
        \(HTML.section("In the terminal", HTML.command("bailiff filter test NAME LOG") + HTML.command("bailiff filter detect LOG") + HTML.command("bailiff check --diff")))
        """
    }
  }

  static func state(_ problem: String?) -> HTML {
    problem.map { "<span class=\"bad text\">\($0)</span>" } ?? "<span class=\"good\">ok</span>"
  }

  var listsPage: Route {
    page("/lists", "Lists") { _, viewer in
      let lists = try await handlers.lists.lists()
      let allowed = try await handlers.lists.allowed()
      let table = HTML.table(
        ["List", "Does", "From", "Entries", "Left out", "Read", "State", ""],
        lists.map { list in
          [
            "\(list.name)", list.allow ? "spares" : "blocks", "\(list.source)", "\(grouped(list.entries))",
            "\(grouped(list.leftOut))", list.loaded.map(HTML.time) ?? "never", Self.state(list.problem),
            list.problem == nil
              ? ""
              : viewer.form(
                "/lists/accept", [("name", list.name)], button: "accept", label: "Accept the list \(list.name)"),
          ]
        }, none: "there is no list")
      let spared = HTML.table(
        ["Address", "Since", "Until", "By uid", "Why", ""],
        allowed.map { one in
          [
            HTML.address(one.id), HTML.time(one.since), one.until.map(HTML.time) ?? "until it is taken back",
            "\(one.uid)",
            "\(one.why)",
            viewer.form("/lists/disallow", [("id", one.id)], button: "take back", label: "Spare \(one.id) no more"),
          ]
        }, none: "nobody is spared by hand")
      let form: HTML =
        viewer.mayOperate
        ? """
        <form class="filters" method="post" action="/lists/allow"><input type="hidden" name="csrf" value="\(viewer.csrf ?? "")">
        <label>Spare <input name="id" required maxlength="64" placeholder="192.0.2.7"></label><label>For <input name="for" placeholder="2h, 1d" maxlength="32"></label>
        <label>Why <input name="why" maxlength="200"></label><button type="submit">allow</button></form>
        """ : ""
      return "\(HTML.section("Lists", table))\(HTML.section("Spared by people", form + spared))"
    }
  }

  var outputsPage: Route {
    page("/outputs", "Outputs") { _, _ in
      let consumers = try await handlers.status().consumers
      let table = HTML.table(
        ["Who is told", "State", "Told", "Waiting", "Waiting since", "Missed"],
        consumers.map { one in
          [
            "\(one.name)", Self.state(one.problem), "\(grouped(one.delivered))", "\(grouped(one.behind))",
            one.behindSince.map(HTML.time) ?? "", "\(grouped(one.missed))",
          ]
        }, none: "nobody is told")
      return "<div id=\"outputs\" data-live>\(table)</div>\(HTML.command("bailiff output test NAME"))"
    }
  }

  var posturePage: Route {
    page("/posture", "Posture") { _, _ in
      let posture = try await posture()
      let order: [PostureCheck.State] = [.failed, .accepted, .ok, .notApplicable]
      let checks = order.flatMap { state in posture.checks.filter { $0.state == state } }
      let table = HTML.table(
        ["Check", "State", "Weight", "What was seen", "Why it matters", "What mends it"],
        checks.map { check in
          [
            "\(check.check.rawValue)", Self.name(of: check.state), "\(check.weight)",
            "<span class=\"text\">\(check.evidence)</span>",
            "<span class=\"text\">\(check.why)</span>",
            check.remedy.map { "<code>\($0)</code>" } ?? "\(check.reason ?? "")",
          ]
        }, none: "nothing was checked")
      let history = HTML.table(
        ["Day", "Score"], posture.history.suffix(30).reversed().map { [HTML.time($0.time), "\($0.score)"] },
        none: "no earlier day is known")
      return """
        \(HTML.figures([("\(posture.score) of 100", "how well this machine is kept"), ("\(checks.count { $0.state == .failed })", "to be mended")]))
        \(table)<section><details><summary>Earlier scores</summary>\(history)</details></section>
        """
    }
  }

  private static func name(of state: PostureCheck.State) -> HTML {
    switch state {
    case .ok: "<span class=\"good\">met</span>"
    case .failed: "<span class=\"bad\">not met</span>"
    case .accepted: "accepted"
    case .notApplicable: "not known here"
    }
  }

  var pageRoutes: [Route] {
    [
      nowPage(NowFigures()), bansPage, addressPage, auditPage, activityPage, wafPage, jailsPage, listsPage, outputsPage,
      posturePage, reportsPage, whatIfPage, tryPage,
    ]
  }
}
