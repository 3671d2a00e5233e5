import Model
import System

/// Who looks at a page, and what forms on it must send back.
struct Viewer: Sendable {
  var name: String
  var role: Role
  /// Nil where nobody is logged in by a browser: then there are no forms.
  var csrf: String?

  var mayOperate: Bool { role >= .operate && csrf != nil }

  /// A form that changes something; nothing for those who may not.
  func form(_ action: String, _ fields: [(name: String, value: String)], button: String, label: String) -> HTML {
    guard mayOperate, let csrf else { return "" }
    let hidden = (fields + [("csrf", csrf)]).map {
      "<input type=\"hidden\" name=\"\($0.0)\" value=\"\($0.1)\">" as HTML
    }
    return """
      <form method="post" action="\(action)">\(hidden)<button type="submit" aria-label="\(label)">\(button)</button></form>
      """
  }
}

/// What every page has around it.
struct Layout {
  struct Entry {
    var path: String
    var title: String
  }

  /// In the order of the navigation.
  static let entries = [
    Entry(path: "/", title: "Now"), Entry(path: "/bans", title: "Bans"), Entry(path: "/audit", title: "Audit"),
    Entry(path: "/activity", title: "Activity"), Entry(path: "/waf", title: "WAF"),
    Entry(path: "/jails", title: "Jails"), Entry(path: "/lists", title: "Lists"),
    Entry(path: "/what-if", title: "What if"),
    Entry(path: "/outputs", title: "Outputs"), Entry(path: "/posture", title: "Posture"),
    Entry(path: "/reports", title: "Reports"),
  ]

  /// The path of the navigation's entry that the page belongs to.
  var path: String
  var title: String
  var viewer: Viewer
  /// What was done just now.
  var said: HTML?

  func page(_ body: HTML) -> HTML {
    let links = Self.entries.map { entry in
      let current: HTML = entry.path == path ? " aria-current=\"page\"" : ""
      return "<a href=\"\(entry.path)\"\(current)>\(entry.title)</a>" as HTML
    }
    let logout: HTML =
      viewer.csrf.map { csrf in
        """
        <form method="post" action="/logout"><input type="hidden" name="csrf" value="\(csrf)"><button type="submit">log out</button></form>
        """ as HTML
      } ?? ""
    return Self.document(
      title,
      """
      <a class="skip" href="#main">to the content</a>
      <header><b>Bailiff</b> <span>\(LocalHost.name)</span>
      <form class="search" action="/address" role="search"><input name="id" aria-label="An address, a block or a name" placeholder="address" required maxlength="512"><button type="submit">explain</button></form>
      <span class="who">\(viewer.name), \(viewer.role.rawValue)</span>\(logout)</header>
      <nav aria-label="Pages">\(links)</nav>
      <main id="main"><h1>\(title)</h1>\(said.map { "<div class=\"said\" role=\"status\">\($0)</div>" as HTML } ?? "")\(body)</main>
      <footer>Times are of the server's zone; yours is shown where you point.</footer>
      """)
  }

  static func document(_ title: String, _ body: HTML) -> HTML {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark"><title>\(title) · Bailiff on \(LocalHost.name)</title>
    <link rel="stylesheet" href="/assets/dashboard.css"><link rel="icon" href="data:,">
    <script type="module" src="/assets/dashboard.js"></script></head><body>
    \(body)
    </body></html>

    """
  }
}
