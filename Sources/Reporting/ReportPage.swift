internal import AuditLog
internal import Inspection
internal import Model
internal import System

/// The report as one page of HTML that needs nothing else: readable on a telephone, printable, in the dark too.
struct ReportPage {
  var since: Instant
  var until: Instant
  var host: String
  var data: ReportData
  /// In as long a time before.
  var failuresBefore: Int
  var addresses: TopResult
  var prefixes: TopResult
  var users: TopResult
  var jails: TopResult
  var patterns: TopResult
  /// Of attacks.
  var kinds: TopResult
  /// Where the addresses are from; nil where no database says.
  var countries: TopResult?
  var networks: TopResult?
  /// Of web application firewalls.
  var rules: TopResult
  var activity: ReportActivity
  var acts: ReportActs
  /// As it was when the report was made; nil: nobody looked.
  var posture: PostureReply?
  /// Of the audit's chain; nil: there is nothing in it.
  var checkpoint: CheckpointReply?
  /// What the daemon says of itself, while it runs: a name and a value each.
  var cost: [(name: String, value: String)]
  var version: String
  var made: Instant

  private static let failureColour = "#3569b2"
  private static let banColour = "#c0392b"

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <title>Bailiff on \(HTML.escape(host)), \(day(since)) to \(day(until))</title>
    <style>\(Self.style)</style></head><body>
    <header><h1>Bailiff on \(HTML.escape(host))</h1><p>\(HTML.escape(LocalTime.text(since))) to \(HTML.escape(LocalTime.text(until)))</p></header>
    <main>
    \(section("Summary", summary.map { "<p>\(HTML.escape($0))</p>" }.joined()))
    <section class="figures">\(figures)</section>
    \(section("Findings", findings))
    \(section("Failures", timeline(data.failures, "Failures over time", Self.failureColour)))
    \(section("Bans", timeline(data.bans, "Bans over time", Self.banColour)))
    <div class="columns">
    \(section("Addresses", ranking(addresses, bans: true)))
    \(section("Networks", ranking(prefixes, bans: true)))
    \(countries.map { section("Countries", ranking($0)) } ?? "")
    \(networks.map { section("Autonomous systems", ranking($0)) } ?? "")
    \(section("Users that were tried", ranking(users)))
    \(section("Jails", ranking(jails, bans: true)))
    \(section("What was tried", ranking(kinds)))
    \(section("Patterns", ranking(patterns)))
    \(wafSection)
    \(section("How long bans last", lengths))
    \(section("Repeat offenders", offenders))
    </div>
    \(section("Who was let in", activitySection))
    \(section("What operators did", rows(acts.people, of: acts.peopleCount)))
    \(section("What else happened", rows(acts.others, of: acts.otherCount)))
    \(postureSection)
    \(chainSection)
    \(cost.isEmpty ? "" : section("What it cost", table(cost.map { [$0.name, $0.value] }, head: nil)))
    </main><footer><p>Made by bailiff \(HTML.escape(version)) at \(HTML.escape(LocalTime.text(made))).</p></footer>
    </body></html>

    """
  }

  func day(_ instant: Instant) -> String { String(LocalTime.text(instant).prefix(10)) }

  func section(_ title: String, _ body: String) -> String {
    "<section><h2>\(HTML.escape(title))</h2>\(body)</section>"
  }

  private var figures: String {
    [
      (grouped(jails.total), "failures"), (grouped(addresses.distinct), "addresses"), (grouped(data.banCount), "bans"),
      (grouped(data.bannedIDs), "ids banned"), (grouped(data.lifted), "lifted by hand"),
      (grouped(users.distinct), "users tried"),
    ].map { "<div><b>\($0.0)</b><span>\($0.1)</span></div>" }.joined()
  }

  /// Steps of an hour, or of as many that a bar is at least two pixels wide on a telephone.
  private func timeline(_ points: [ReportData.Point], _ label: String, _ colour: String) -> String {
    let hours = max(1, until.since(since).seconds / 3600 + 1)
    let groups: [Int64] = [1, 2, 3, 6, 12, 24, 168, 720]
    let group: Int64 = groups.first { hours / $0 <= 180 } ?? 8760
    let step = TimeSpan.hours(group)
    let start = Instant(seconds: since.seconds - since.seconds % 3600)
    var values = [Int](repeating: 0, count: Int(hours / group) + 1)
    for point in points {
      let index = Int(clamping: point.start.since(start).seconds / step.seconds)
      if values.indices.contains(index) { values[index] += point.count }
    }
    guard values.contains(where: { $0 > 0 }) else { return "<p class=\"none\">none</p>" }
    let caption: String
    switch group {
    case 1: caption = "by hour"
    case 24: caption = "by day"
    case 2..<24: caption = "by \(group) hours"
    default: caption = "by \(group / 24) days"
    }
    return Chart.bars(values, from: start, step: step, label: label, colour: colour)
      + "<p class=\"caption\">\(caption), times of this machine's zone</p>"
  }

  private func ranking(_ result: TopResult, bans: Bool = false) -> String {
    Chart.ranking(
      result.entries.prefix(10).map { entry in
        (
          truncated(printable(entry.detail.isEmpty ? entry.name : "\(entry.name) \(entry.detail)"), to: 40),
          entry.failures,
          bans && entry.bans > 0 ? counted(entry.bans, "ban") : ""
        )
      }, colour: Self.failureColour)
  }

  /// Hits of web application firewalls, by rule.
  private var wafSection: String {
    guard !rules.entries.isEmpty else { return "" }
    return section(
      "WAF hits by rule",
      Chart.ranking(
        rules.entries.map { (truncated(printable("\($0.name) \($0.detail)"), to: 60), $0.failures, "") },
        colour: Self.banColour))
  }

  private var lengths: String {
    let steps: [(String, TimeSpan)] = [
      ("up to 10 minutes", .minutes(10)), ("up to 1 hour", .hours(1)), ("up to 6 hours", .hours(6)),
      ("up to 1 day", .hours(24)), ("up to 1 week", .hours(168)), ("longer", TimeSpan(microseconds: .max)),
    ]
    var counts = [Int](repeating: 0, count: steps.count)
    for length in data.lengths { counts[steps.firstIndex { length <= $0.1 } ?? 0] += 1 }
    var entries = zip(steps, counts).map { (name: $0.0, value: $1, note: "") }
    entries.append((name: "permanent", value: data.permanent, note: ""))
    return Chart.ranking(entries.filter { $0.value > 0 }, colour: Self.banColour)
  }

  private var offenders: String {
    guard !data.repeated.isEmpty else { return "<p class=\"none\">none</p>" }
    return table(
      data.repeated.prefix(10).map { [$0.id, grouped($0.bans), grouped($0.jails), LocalTime.text($0.last)] },
      head: ["id", "bans", "jails", "last"])
  }

  func table(_ rows: [[String]], head: [String]?) -> String {
    var html = "<div class=\"scroll\"><table>"
    if let head { html += "<tr>" + head.map { "<th scope=\"col\">\($0)</th>" }.joined() + "</tr>" }
    for row in rows { html += "<tr>" + row.map { "<td>\(HTML.escape($0))</td>" }.joined() + "</tr>" }
    return html + "</table></div>"
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1c2330;--dim:#667085;--line:#d9dee7;--back:#fff;--box:#f5f7fa}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--dim:#98a2b3;--line:#333b4a;--back:#12161d;--box:#1b212b}}
    *{box-sizing:border-box}body{margin:0 auto;max-width:1000px;padding:16px;font:16px/1.45 system-ui,sans-serif;
    color:var(--ink);background:var(--back)}h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.1em;margin:0 0 .5em}
    header p,footer,.caption,.none{color:var(--dim);margin:.2em 0}section{margin:0 0 24px;break-inside:avoid}section>p{margin:.3em 0}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(110px,1fr));gap:8px;margin-top:16px}
    .figures div{background:var(--box);border-radius:8px;padding:10px}.figures b{display:block;font-size:1.4em}
    .figures span,.caption,.note{color:var(--dim);font-size:.85em}
    .columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 32px}
    svg{width:100%;height:auto;display:block}svg text{font-size:12px;fill:var(--dim)}svg .end{text-anchor:end}svg .tick{text-anchor:middle}
    .grid{stroke:var(--line)}.axis{stroke:var(--dim)}table{border-collapse:collapse;width:100%;font-size:.9em}
    th,td{text-align:left;padding:4px 8px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;
    overflow-wrap:anywhere}th{font-weight:500}th[scope=col]{white-space:nowrap;overflow-wrap:normal}.number{text-align:right;font-variant-numeric:tabular-nums;width:5em}
    .ranking .bar{width:30%}.ranking .bar svg{height:12px;margin-top:5px}.ranking .note{width:5em;white-space:nowrap}
    .scroll{overflow-x:auto}.scroll td:not(:last-child){white-space:nowrap}.scroll td:last-child{min-width:11em}
    @media(max-width:600px){svg text{font-size:21px}.ranking .bar{width:18%}.number{width:3.5em}.ranking .note{width:4.5em}}.code{font-family:monospace;overflow-wrap:anywhere}
    @page{size:A4;margin:16mm 14mm;@bottom-right{content:counter(page) " / " counter(pages);font:9pt sans-serif;color:#667085}}
    @media print{:root{color-scheme:light;--ink:#1c2330;--dim:#667085;--line:#d9dee7;--back:#fff;--box:#f5f7fa}
    body{max-width:none;padding:0;font-size:10pt}.columns{display:block}.figures{display:flex;flex-wrap:wrap}
    .figures div{flex:1 1 22%}section{break-inside:auto}h2{break-after:avoid}tr,svg{break-inside:avoid}.scroll{overflow:visible}
    .scroll td:not(:last-child):not(:first-child){white-space:normal}}
    """
}
