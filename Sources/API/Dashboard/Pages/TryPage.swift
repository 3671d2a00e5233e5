import HTTPServing
import Inspection
import Model
import NIOHTTP1
import Settings
import System

extension ControlRoutes {
  /// Lines of a log, and what a filter makes of each. The form is posted: lines hold names and addresses, which do not belong into
  /// an address bar.
  var tryPage: Route {
    page("/try", "Try lines") { _, viewer in
      try await tryForm(viewer, filter: nil, lines: "") + "<div id=\"tried\" aria-live=\"polite\"></div>"
    }
  }

  var tryRoute: Route {
    let authenticator = authenticator
    return Route(
      .POST, "/try", bodyLimit: 256 << 10,
      .waiting { request in
        do {
          let form = try FormFields(request)
          let viewer = try authenticator.viewer(ofForm: form, request, at: SystemClock.now())
          let filter = try form.required("filter")
          let lines = form["lines"] ?? ""
          let results = try await test(lines, by: filter)
          let body =
            try await tryForm(viewer, filter: filter, lines: lines)
            + "<div id=\"tried\" aria-live=\"polite\">\(Self.results(results, of: lines))</div>"
          return Self.html(Layout(path: "/jails", title: "Try lines", viewer: viewer).page(body))
        } catch {
          return Self.refusal(RequestError(error))
        }
      })
  }

  private func tryForm(_ viewer: Viewer, filter: String?, lines: String) async throws -> HTML {
    let names = try await blocking { context.settings().library.all().filters.map { FilterReply($0).filter } }
    let options = names.map { name in
      "<option\(name == filter ? " selected" as HTML : "")>\(name)</option>" as HTML
    }
    return """
      <form method="post" action="/try" data-try><input type="hidden" name="csrf" value="\(viewer.csrf ?? "")">
      <p><label>Filter <select name="filter">\(options)</select></label> <button type="submit">try</button></p>
      <label>Lines <textarea name="lines" rows="8" spellcheck="false" maxlength="200000">\(lines: lines)</textarea></label></form>
      """
  }

  private static func results(_ replies: [LineReply], of lines: String) -> HTML {
    let texts = lines.split(separator: "\n", omittingEmptySubsequences: false)
    return HTML.table(
      ["Line", "Result", "Address", "User", "Pattern", "Text"],
      replies.prefix(1000).map { reply in
        let found = reply.failures + (reply.activities ?? []).map(\.found)
        return [
          "\(reply.line)", "<span class=\"\(reply.result == .failure ? "bad" : "note")\">\(word(reply.result))</span>",
          "\(found.map { HTML.address($0.id) + " " })", "\(found.compactMap(\.user).joined(separator: ", "))",
          "\(found.map(\.pattern).joined(separator: ", "))",
          "<code>\(reply.line <= texts.count ? String(texts[reply.line - 1]) : "")</code>",
        ]
      }, none: "no lines")
  }

  private static func word(_ verdict: LineResult.Verdict) -> String {
    switch verdict {
    case .failure: "a failure"
    case .activity: "an activity"
    case .ignored: "ignored"
    case .none: "nothing"
    }
  }
}
