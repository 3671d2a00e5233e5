import AuditLog
import Inspection
import Model
import System

extension ExplainReply {
  func print(to output: inout Output, now: Instant) {
    let name = printable(id)
    let inForce = bans.filter { $0.isInForce(at: now) }
    if inForce.isEmpty {
      output.line("\(name) is not banned\(banCount == 0 ? "" : " now; it was \(counted(banCount, "time"))")")
    } else {
      let ends = inForce.map {
        "in \(printable($0.jail))\($0.id == id ? "" : " as \(printable($0.id))") \($0.until.map { "until \(LocalTime.text($0))" } ?? "for ever")"
      }
      output.line("\(name) is banned: \(ends.joined(separator: ", "))")
    }
    if !origin.isEmpty { output.line("  from: \(printable(origin.text))") }
    for jail in jails {
      output.line(
        "  \(printable(jail.jail)): \(counted(jail.failures, "failure")) stored, \(LocalTime.text(jail.first)) to "
          + LocalTime.text(jail.last))
    }
    for reason in reasons {
      output.line("  why: \(reason.jail.map { "\(printable($0)): " } ?? "")\(printable(reason.text))")
    }
    for window in windows { output.line("  " + window.sentence) }
    for ban in bans { ban.print(to: &output, now: now) }
    if banCount > bans.count { output.line("\n\(grouped(banCount - bans.count)) older bans: --bans \(banCount)") }
    guard bans.isEmpty, !recent.isEmpty else { return }
    output.line("\nIts newest failures:")
    for row in recent.reversed() { row.printFailure(to: &output, window: nil) }
  }
}

extension WindowReply {
  /// `sshd: 4 of 5 within the last 10m; …`.
  fileprivate var sentence: String {
    let spared =
      ignoredBy.map { "; \(printable($0)) is in ignoreip: it is not counted any more" }
      ?? "; not in ignoreip, which would have spared it" + listed
    return "\(printable(jail)): \(weight) of \(maxretry) within the last \(TimeSpan.seconds(findtime).brief)\(spared)"
  }

  private var listed: String {
    guard !ignoreip.isEmpty else { return " (it is empty)" }
    let more = ignoreip.count > 8 ? ", and \(ignoreip.count - 8) more" : ""
    return " (\(ignoreip.prefix(8).map(printable).joined(separator: ", "))\(more))"
  }
}

extension ExplainReply.BanStory {
  /// The timeline: the lines, oldest first, the decision, the kernel, the end.
  fileprivate func print(to output: inout Output, now: Instant) {
    let of = cause == "escalated" ? " of \(printable(id))" : ""
    let evidence = failures.isEmpty ? members.isEmpty ? "" : ", by these bans:" : ", by these lines:"
    output.line("\nBan \(number)\(of) in jail \(printable(jail))\(evidence)")
    for member in members {
      output.line(
        "  \(LocalTime.text(member.since))  \(printable(member.id)) was banned after \(counted(member.count, "failure"))"
      )
    }
    // The window as it filled.
    var sum = 0
    for row in failures {
      sum += row.count * row.weight
      row.printFailure(to: &output, window: "\(grouped(sum)) of \(grouped(count))")
    }
    let why =
      switch cause {
      case "limit": "\(count) failures\(command.isEmpty ? "" : " of \(command)") reached the limit"
      case "escalated": "\(count) of its addresses were banned, so all of it is"
      case "operator": "an operator asked" + who(uid, command)
      case "fleet": "the fleet: \(command)"
      default: cause
      }
    let end = until.map { "until \(LocalTime.text($0))" } ?? "for ever"
    output.line("  \(LocalTime.text(since))  banned \(end): \(printable(why))")
    for row in extensions {
      output.line(
        "  \(LocalTime.text(row.time))  extended \(row.until.map { "until \(LocalTime.text($0))" } ?? "for ever")")
    }
    if let applied {
      output.line("  \(LocalTime.text(applied))  the firewall had it")
    } else {
      output.line(
        dryRun
          ? "  never given to the firewall: a dry run decided it"
          : "  not given to the firewall then: its time was over when it was found, or the firewall refused it")
    }
    if let ended {
      let reason =
        switch endCause {
        case "expired": "its time was over; the kernel let go by itself"
        case "operator": "an operator lifted it" + who(endUid, endCommand)
        case "fleet": "the fleet: \(endCommand)"
        case "reconciled" where dryRun: "the dry run was over"
        case "reconciled": "it was found missing or over when the daemon looked"
        case "replaced": "a later ban took its place"
        default: endCause
        }
      output.line("  \(LocalTime.text(ended))  ended: \(printable(reason))")
    } else if let until, until <= now {
      output.line("  \(LocalTime.text(until))  over by its time")
    }
  }

  private func who(_ uid: UInt32?, _ command: String) -> String {
    (uid.map { " (uid \($0))" } ?? "") + (command.isEmpty ? "" : ": \(command)")
  }
}

extension AuditRow {
  /// The time, the pattern with its filter, the place, and the line below.
  fileprivate func printFailure(to output: inout Output, window: String?) {
    let times = count > 1 ? ", \(grouped(count)) times" : ""
    let place = offset.map { "\(source) at byte \($0)" } ?? cursor.map { "\(source), cursor \($0)" } ?? source
    output.line(
      "  \(LocalTime.text(time))  \(printable(pattern)) of \(printable(filterFile.isEmpty ? filter : filterFile))\(times)"
        + (window.map { "  [\($0)]" } ?? "")
    )
    output.line("      \(printable(place))")
    if !rule.isEmpty { output.line("      rule \(printable("\(rule) \(message) \(severity)"))") }
    output.line("      \(printable(line))")
  }
}
