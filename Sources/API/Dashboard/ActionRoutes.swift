import HTTPServing
import Model
import NIOHTTP1
import Settings
import System

/// What the pages' forms do. Each ends at a page that says what was done, and how to undo it.
extension ControlRoutes {
  var actionRoutes: [Route] {
    let handlers = handlers
    return [
      action("/bans/ban", .operate) { form, who in
        let request = BanRequest(
          id: try form.required("id"), jail: form.text("jail"), bantime: try form.span("for"),
          force: form["force"] == "yes")
        try request.check()
        let done = try await handlers.ban(request, who)
        return Said(done: .banned, id: done.ban.id, jail: done.ban.jail).link("/bans")
      },
      action("/bans/unban", .operate) { form, who in
        let request = UnbanRequest(id: try form.required("id"), jail: form.text("jail"))
        try request.check()
        // What there was, for who wants it back.
        let before = try await handlers.bans(BansRequest(jail: request.jail))
        let done = try await handlers.unban(request, who)
        let lifted = Set(done.ids)
        var said = Said(done: .lifted, id: try form.required("id"))
        said.bans = before.filter { lifted.contains($0.id) }.map { LiftedBan($0) }
        return said.link("/bans")
      },
      action("/bans/restore", .operate) { form, who in
        let bans = form.all("ban").prefix(LiftedBan.most).compactMap { LiftedBan($0) }
        guard let first = bans.first else { throw RequestError(.invalid, "no ban is named") }
        let now = SystemClock.now()
        for ban in bans where ban.until.map({ $0 > now }) ?? true {
          let request = BanRequest(
            id: ban.id, jail: ban.jail, bantime: ban.until.map { max(1, $0.since(now).seconds) } ?? -1, force: false)
          try request.check()
          _ = try await handlers.ban(request, who)
        }
        return Said(done: .banned, id: first.id).link("/bans")
      },
      action("/lists/accept", .operate) { form, who in
        let request = ListRequest(name: try form.required("name"))
        try request.check()
        _ = try await handlers.lists.accept(request, who)
        return Said(done: .accepted, id: request.name).link("/lists")
      },
      action("/lists/allow", .operate) { form, who in
        let request = AllowRequest(id: try form.required("id"), time: try form.span("for"), why: form.text("why"))
        try request.check()
        let done = try await handlers.lists.allow(request, who)
        return Said(done: .allowed, id: done.id).link("/lists")
      },
      action("/lists/disallow", .operate) { form, who in
        let request = DisallowRequest(id: try form.required("id"))
        try request.check()
        _ = try await handlers.lists.disallow(request, who)
        return Said(done: .disallowed, id: request.id).link("/lists")
      },
    ]
  }
}

extension FormFields {
  /// How long: `1h`, `7d`, `permanent`, as the commands take it. Nil: nothing was chosen; negative: permanently.
  fileprivate func span(_ name: String) throws(RequestError) -> Int64? {
    guard let text = self[name], !text.isEmpty else { return nil }
    if text == "permanent" { return -1 }
    guard let span = try? TimeSpan(parsing: text), span.seconds > 0 else {
      throw RequestError(.invalid, "`\(text)` is no time", remedy: "write 10m, 1h, 7d or permanent")
    }
    return span.seconds
  }

  /// What is not empty.
  func text(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}

/// A ban that was lifted, as a link and a form carry it: the second of its end or `-`, the jail, and the id, which may hold blanks.
struct LiftedBan: Sendable {
  var id: String
  var jail: String
  var until: Instant?

  /// So many fit into a link.
  static let most = 20

  init(_ ban: BanReply) { (id, jail, until) = (ban.id, ban.jail, ban.until) }

  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count == 3, text.utf8.count <= 1024 else { return nil }
    (jail, id) = (words[1], words[2])
    guard words[0] != "-" else { return }
    guard let seconds = Int64(words[0]), (0...100_000_000_000).contains(seconds) else { return nil }
    until = Instant(seconds: seconds)
  }

  var text: String { "\(until.map { "\($0.seconds)" } ?? "-") \(jail) \(id)" }
}

/// What a form did, told by the page that comes after it. Codes and an id only: a link cannot put words into our mouth.
struct Said: Sendable {
  enum Done: String, Sendable {
    case banned, lifted, accepted, allowed, disallowed
    case reportMade = "report_made"
    case reportRemoved = "report_removed"
  }

  var done: Done
  var id: String
  var jail = ""
  /// What was lifted.
  var bans: [LiftedBan] = []

  init(done: Done, id: String, jail: String = "") { (self.done, self.id, self.jail) = (done, id, jail) }

  init?(_ request: HTTPRequest) {
    guard let done = request.query("done").flatMap({ Done(rawValue: $0) }), let id = request.query("id"),
      id.utf8.count <= 512
    else { return nil }
    self.init(done: done, id: id, jail: request.query("jail") ?? "")
    bans = request.query.filter { $0.name == "ban" }.prefix(LiftedBan.most).compactMap { LiftedBan($0.value) }
  }

  func link(_ path: String) -> String {
    // A block may have held more bans than a link can name: those are not put back by one click.
    let undo = bans.count <= LiftedBan.most ? bans : []
    return HTML.link(
      path, [("done", done.rawValue), ("id", id), ("jail", jail)] + undo.map { ("ban", $0.text) })
  }

  func html(_ viewer: Viewer) -> HTML {
    switch done {
    case .banned:
      "\(HTML.address(id)) is banned. \(viewer.form("/bans/unban", [("id", id), ("jail", jail)], button: "undo", label: "Lift the ban of \(id)"))"
    case .lifted:
      "\(bans.count > 1 ? "\(bans.count) bans" : "The ban") of \(HTML.address(id)) \(bans.count > 1 ? "are" : "is") lifted. \(bans.isEmpty ? "" : viewer.form("/bans/restore", bans.map { ("ban", $0.text) }, button: "undo", label: "Ban \(id) again for the rest of the time"))"
    case .accepted: "The list \(id) is taken over at its next look, whatever it lost."
    case .allowed:
      "\(HTML.address(id)) is spared everywhere. \(viewer.form("/lists/disallow", [("id", id)], button: "undo", label: "Spare \(id) no more"))"
    case .disallowed: "\(HTML.address(id)) is spared no more."
    case .reportMade: "The report \(id) is being made."
    case .reportRemoved: "The report \(id) is removed."
    }
  }
}
