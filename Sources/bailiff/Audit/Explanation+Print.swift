import AuditLog
import Detection
import Model
import System

extension Explanation {
  func print(to output: inout Output, now: Instant, _ closeness: [Closeness]) {
    let name = printable(identity.description)
    let inForce = inForce(at: now)
    if inForce.isEmpty {
      output.line("\(name) is not banned\(banCount == 0 ? "" : " now; it was \(counted(banCount, "time"))")")
    } else {
      let ends = inForce.map {
        "in \(printable($0.jail))\($0.identity == identity ? "" : " as \($0.identity)") \($0.until.map { "until \(LocalTime.text($0))" } ?? "for ever")"
      }
      output.line("\(name) is banned: \(ends.joined(separator: ", "))")
    }
    for jail in jails {
      output.line(
        "  \(printable(jail.jail)): \(counted(jail.failures, "failure")) stored, \(LocalTime.text(jail.first)) to "
          + LocalTime.text(jail.last))
    }
    for close in closeness {
      let spared =
        close.ignored.map { "; \($0) is in ignoreip: it is not counted any more" }
        ?? "; not in ignoreip, which would have spared it\(close.ignoreip)"
      output.line(
        "  \(printable(close.jail.name)): \(close.weight) of \(close.jail.maxretry) within the last "
          + LocalTime.span(close.jail.findtime) + spared)
    }
    for ban in bans { ban.print(to: &output, now: now) }
    if banCount > bans.count { output.line("\n\(grouped(banCount - bans.count)) older bans: --bans \(banCount)") }
    guard bans.isEmpty, !recent.isEmpty else { return }
    output.line("\nIts newest failures:")
    for row in recent.reversed() { row.printFailure(to: &output, window: nil) }
  }

  func members(_ now: Instant, _ closeness: [Closeness]) -> [(String, JSON)] {
    [
      ("id", .string(identity.description)), ("banned", .bool(!inForce(at: now).isEmpty)),
      ("ban_count", .number(banCount)), ("bans", .array(bans.map { .object($0.members) })),
      (
        "jails",
        .array(
          jails.map {
            .object([
              ("jail", .string($0.jail)), ("failures", .number($0.failures)), ("first", .time($0.first)),
              ("last", .time($0.last)),
            ])
          })
      ),
      (
        "windows",
        .array(
          closeness.map {
            .object([
              ("jail", .string($0.jail.name)), ("weight", .number($0.weight)), ("maxretry", .number($0.jail.maxretry)),
              ("findtime", .number($0.jail.findtime.seconds)), ("ignored_by", .text($0.ignored?.description)),
              ("ignoreip", .texts($0.jail.ignore.subnets.map(\.description))),
            ])
          })
      ), ("recent", .array(recent.map { .object($0.members) })),
    ]
  }
}

extension Explanation.BanStory {
  /// The timeline: the lines, oldest first, the decision, the kernel, the end.
  fileprivate func print(to output: inout Output, now: Instant) {
    output.line("\nBan \(number) in jail \(printable(jail))" + (failures.isEmpty ? "" : ", by these lines:"))
    // The window as it filled.
    var sum = 0
    for row in failures {
      sum += row.count * row.weight
      row.printFailure(to: &output, window: "\(grouped(sum)) of \(grouped(count))")
    }
    let why =
      switch cause {
      case "limit": "\(count) failures reached the limit"
      case "operator": "an operator asked" + who(uid, command)
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
      output.line("  never given to the firewall: a dry run, or it was over when it was found")
    }
    if let ended {
      let reason =
        switch endCause {
        case "expired": "its time was over; the kernel let go by itself"
        case "operator": "an operator lifted it" + who(endUID, endCommand)
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

  fileprivate var members: [(String, JSON)] {
    [
      ("jail", .string(jail)), ("id", .string(identity.description)), ("since", .time(since)), ("until", .time(until)),
      ("count", .number(count)), ("number", .number(number)), ("cause", .string(cause)),
      ("uid", uid.map { .number($0) } ?? .null), ("command", .string(command)), ("applied", .time(applied)),
      ("ended", .time(ended)), ("end_cause", .string(endCause)), ("end_uid", endUID.map { .number($0) } ?? .null),
      ("end_command", .string(endCommand)), ("failures", .array(failures.map { .object($0.members) })),
      ("extensions", .array(extensions.map { .object($0.members) })),
    ]
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
