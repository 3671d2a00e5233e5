import HTTPServing
import Model
import NIOHTTP1
import System

extension ControlRoutes {
  private static let bansOnPage = 200

  /// Who is banned now, by jail and text, and a form that bans.
  var bansPage: Route {
    page("/bans", "Bans") { request, viewer in
      let jail = request.query("jail").flatMap { $0.isEmpty ? nil : $0 }
      let text = request.query("text") ?? ""
      let jails = try await handlers.status().jails.map(\.name)
      var bans = try await handlers.bans(BansRequest(jail: jail))
      if !text.isEmpty { bans = bans.filter { $0.id.contains(text) } }
      bans.sort { $0.since > $1.since }
      // The last page there is, where a link or somebody's fingers ask for a later one.
      let last = 1 + max(0, bans.count - 1) / Self.bansOnPage
      let number = min(max(1, request.query("page").flatMap { Int($0) } ?? 1), last)
      let from = (number - 1) * Self.bansOnPage
      let shown = bans[from..<min(from + Self.bansOnPage, bans.count)]
      func at(_ page: Int) -> String { HTML.link("/bans", [("jail", jail), ("text", text), ("page", "\(page)")]) }
      let before: HTML = number > 1 ? "<a rel=\"prev\" href=\"\(at(number - 1))\">newer</a>" : ""
      let after: HTML =
        from + shown.count < bans.count ? "<a rel=\"next\" href=\"\(at(number + 1))\">older</a>" : ""
      let now = SystemClock.now()
      let table = HTML.table(
        ["Address", "Jail", "Since", "Until", "Failures", "Ban", "In the firewall", ""],
        shown.map { ban in
          [
            HTML.address(ban.id), "\(ban.jail)", HTML.time(ban.since),
            ban.until.map { "\(HTML.time($0)) <span class=\"note\">\($0.since(now).brief) left</span>" } ?? "permanent",
            "\(ban.count)", "\(ban.number)", ban.applied ? "yes" : "<span class=\"bad\">no</span>",
            viewer.form(
              "/bans/unban", [("id", ban.id), ("jail", ban.jail)], button: "unban", label: "Lift the ban of \(ban.id)"),
          ]
        }, none: jail == nil && text.isEmpty ? "nobody is banned" : "nobody of these is banned")
      return """
        \(Self.banForm(viewer, jails))
        <form class="filters" action="/bans"><label>Jail \(Self.select("jail", jails, jail))</label>
        <label>Part of the address <input name="text" value="\(text)" maxlength="64"></label><button type="submit">show</button></form>
        <p class="caption">\(counted(bans.count, "ban"))\(bans.count > shown.count ? ", \(from + 1) to \(from + shown.count) here" : "")</p>
        <div id="bans" data-live>\(table)</div><p class="pages">\(before) \(after)</p>
        """
    }
  }

  private static func banForm(_ viewer: Viewer, _ jails: [String]) -> HTML {
    guard viewer.mayOperate, let csrf = viewer.csrf else { return "" }
    return """
      <form class="filters" method="post" action="/bans/ban"><input type="hidden" name="csrf" value="\(csrf)">
      <label>Ban <input name="id" required maxlength="512" placeholder="192.0.2.7"></label>
      <label>In jail \(select("jail", jails, nil, all: "no jail's: every port"))</label>
      <label>For <input name="for" placeholder="1h, 7d, permanent" maxlength="32"></label><button type="submit">ban</button></form>
      """
  }

  static func select(_ name: String, _ values: [String], _ chosen: String?, all: String = "all") -> HTML {
    let options = values.map { value in
      "<option value=\"\(value)\"\(value == chosen ? " selected" as HTML : "")>\(value)</option>" as HTML
    }
    return "<select name=\"\(name)\"><option value=\"\">\(all)</option>\(options)</select>"
  }
}
