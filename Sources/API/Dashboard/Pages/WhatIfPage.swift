import HTTPServing
import Inspection
import Model
import NIOHTTP1
import System

extension ControlRoutes {
  /// Two settings of a jail beside each other over the recorded past.
  var whatIfPage: Route {
    page("/what-if", "What if") { request, _ in
      let form = Self.whatIfForm(request, WhatIf.jails(of: context.settings()))
      guard request.query("jail") != nil else {
        return "\(form)<p class=\"none\">Choose a jail and other limits: the recorded failures are counted anew.</p>"
      }
      // A problem is told below the form, so that what was typed can be mended.
      do {
        return form + Self.answer(try await whatIf(WhatIfQuestion.make(request)))
      } catch {
        return form + Self.problem(RequestError(error))
      }
    }
  }

  private static func whatIfForm(_ request: HTTPRequest, _ jails: [String]) -> HTML {
    func value(_ name: String) -> String { request.query(name) ?? "" }
    let options = jails.map { jail in
      "<option\(jail == value("jail") ? " selected" as HTML : "")>\(jail)</option>" as HTML
    }
    return """
      <form class="filters" action="/what-if"><label>Jail <select name="jail">\(options)</select></label>
      <label>maxretry <input name="maxretry" value="\(value("maxretry"))" inputmode="numeric" maxlength="6" placeholder="3"></label>
      <label>findtime <input name="findtime" value="\(value("findtime"))" maxlength="32" placeholder="10m"></label>
      <label>bantime <input name="bantime" value="\(value("bantime"))" maxlength="32" placeholder="1h, permanent"></label>
      <label>Since <input name="since" value="\(request.query("since") ?? "30d")" maxlength="64"></label>
      <label>Address <input name="id" value="\(value("id"))" maxlength="64" placeholder="all"></label><button type="submit">count</button></form>
      """
  }

  private static func answer(_ reply: WhatIfReply) -> HTML {
    func span(_ seconds: Int64?) -> String { seconds.map { TimeSpan.seconds($0).brief } ?? "permanent" }
    let sides = HTML.table(
      ["", "maxretry", "findtime", "bantime", "Bans", "Banned", "Of them honest, perhaps"],
      [("In force", reply.now), ("What if", reply.then)].map { name, side in
        [
          "\(name)", "\(side.maxretry)", "\(span(side.findtime))", "\(span(side.bantime))", "\(grouped(side.bans))",
          "\(grouped(side.banned))", side.honest == 0 ? "0" : "<span class=\"bad\">\(grouped(side.honest))</span>",
        ]
      }, none: "")
    let cut: HTML =
      reply.readThrough.map {
        "<p class=\"warning\">There is more than was counted: only up to \(HTML.time($0)). Ask for less time.</p>"
      } ?? ""
    return """
      \(cut)<p class="caption">\(counted(reply.failures, "failure")) of jail \(reply.jail) from \(HTML.time(reply.since)) to \(HTML.time(reply.until)).</p>
      \(sides)
      \(HTML.section("Banned in addition: \(grouped(reply.moreCount))", candidates(reply.more, of: reply.moreCount)))
      \(HTML.section("Spared: \(grouped(reply.fewerCount))", candidates(reply.fewer, of: reply.fewerCount)))
      <p>\(counted(reply.both, "id")) \(reply.both == 1 ? "is" : "are") banned either way.</p>
      <p class="caption">The daemon's own detector counts what is recorded. Who was banned could not go on, so under milder limits there would have been more; what people banned or lifted is left out.</p>
      \(HTML.command(command(reply)))
      """
  }

  private static func command(_ reply: WhatIfReply) -> String {
    var words = ["bailiff what-if --jail \(reply.jail)"]
    if reply.then.maxretry != reply.now.maxretry { words.append("--maxretry \(reply.then.maxretry)") }
    if reply.then.findtime != reply.now.findtime { words.append("--findtime \(reply.then.findtime)") }
    if reply.then.bantime != reply.now.bantime {
      words.append("--bantime \(reply.then.bantime.map { "\($0)" } ?? "permanent")")
    }
    return words.joined(separator: " ")
  }

  private static func candidates(_ candidates: [WhatIfReply.Candidate], of count: Int) -> HTML {
    let table = HTML.table(
      ["Address", "First ban", "Bans", "What speaks for it"],
      candidates.map { one in
        let honest = one.honest.joined(separator: "; ")
        return [
          HTML.address(one.id), HTML.time(one.time), "\(one.bans)",
          honest.isEmpty ? "" : "<span class=\"bad text\">\(honest)</span>",
        ]
      }, none: "nobody")
    return table + (count > candidates.count ? "<p class=\"caption\">the first \(candidates.count)</p>" : "")
  }
}
