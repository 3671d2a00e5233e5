internal import Detection
internal import Filters
internal import Model
internal import Pipeline
internal import Settings
internal import System

/// `get` and `set`.
extension Fail2banCommands {
  func get(_ words: [String]) async throws -> PickleValue {
    guard let first = words.first else { throw Fail2banError.invalidCommand }
    switch first {
    case "loglevel": return .text("INFO")
    case "logtarget": return .text("SYSTEMD-JOURNAL")
    case "syslogsocket": return .text("auto")
    case "dbfile": return .text(daemon.settings.database)
    case "dbpurgeage": return .int(86_400)
    case "dbmaxmatches": return .int(10)
    default: break
    }
    let jail = try settings(first)
    guard words.count > 1 else { throw Fail2banError.invalidCommand }
    return try await get(jail, words[1], Array(words.dropFirst(2)))
  }

  private func get(_ jail: JailSettings, _ key: String, _ words: [String]) async throws -> PickleValue {
    switch key {
    case "bantime": return .int(jail.limits.bantime.map { Int($0.seconds) } ?? -1)
    case "findtime": return .int(Int(jail.limits.findtime.seconds))
    case "maxretry", "maxmatches": return .int(jail.limits.maxretry)
    case "maxlines": return .int(1)
    case "ignoreip": return .texts(jail.ignoreip.map(\.description))
    case "ignoreself": return .bool(daemon.settings.ignoreself)
    case "ignorecommand": return .bool(false)
    case "ignorecache": return .none
    case "usedns": return .text(jail.usedns.rawValue)
    case "logpath": return .texts(jail.sources().files)
    case "journalmatch":
      return .list(jail.sources().journal.map { match in .texts(match.split(separator: " ").map(String.init)) })
    case "logencoding": return .text("UTF-8")
    case "failregex", "ignoreregex": return .list([])
    case "actions": return .texts(["bailiff"])
    case "idle": return .bool(false)
    case "banip": return try await banList(jail.name, withTime: words.contains("--with-time"))
    case "banned":
      let bans = try await ids(jail.name)
      guard !words.isEmpty else { return .texts(bans) }
      return words.count == 1
        ? .int(bans.contains(words[0]) ? 1 : 0) : .list(words.map { .int(bans.contains($0) ? 1 : 0) })
    default: throw Fail2banError.failed("Invalid command (no get action or not yet implemented)")
    }
  }

  /// With times: `192.0.2.7 \t2026-11-28 15:00:00 + 600 = 2026-11-28 15:10:00`.
  private func banList(_ jail: String, withTime: Bool) async throws -> PickleValue {
    guard withTime else { return .texts(try await ids(jail)) }
    return .texts(
      try await daemon.bans(jail: jail).map { ban in
        let length = ban.until.map { "\($0.since(ban.since).seconds)" } ?? "-1"
        let end = ban.until.map(LocalTime.text) ?? "9999-12-31 23:59:59"
        return "\(ban.identity) \t\(LocalTime.text(ban.since)) + \(length) = \(end)"
      })
  }

  // MARK: set

  func set(_ words: [String]) async throws -> PickleValue {
    guard let first = words.first else { throw Fail2banError.invalidCommand }
    // Of the server itself: what it logs, and where, is journald's; the answer is the value that it was asked for.
    if ["loglevel", "logtarget", "syslogsocket", "dbfile", "dbpurgeage", "dbmaxmatches"].contains(first) {
      return try await get([first])
    }
    let jail = try settings(first)
    guard words.count > 2 else { throw Fail2banError.invalidCommand }
    let values = Array(words.dropFirst(2))
    switch words[1] {
    case "banip": return try await ban(jail.name, values)
    case "unbanip": return try await unban(jail.name, values)
    case "attempt": return try await attempt(jail.name, values)
    case "addignoreip", "delignoreip": return try await ignore(jail.name, values, adding: words[1] == "addignoreip")
    case "bantime":
      let span = try span(values[0])
      return try await change(jail.name, "bantime") { $0.bantime = span }
    case "findtime":
      guard let span = try span(values[0]) else { throw Fail2banError.value("findtime is a positive time") }
      return try await change(jail.name, "findtime") { $0.findtime = span }
    case "maxretry":
      guard let number = Int(values[0]), number > 0 else {
        throw Fail2banError.value("invalid literal for int() with base 10: '\(printable(values[0]))'")
      }
      return try await change(jail.name, "maxretry") { $0.maxretry = number }
    default:
      throw Fail2banError.failed(
        "Bailiff does not take `set \(printable(words[1]))`; change it in its settings (docs/settings.md)")
    }
  }

  /// Seconds, `1d`, `-1` for permanent.
  private func span(_ text: String) throws -> TimeSpan? {
    if text.hasPrefix("-") { return nil }
    guard let span = try? TimeSpan(parsing: text), span > .zero else {
      throw Fail2banError.value("`\(printable(text))` is no time")
    }
    return span
  }

  private func change(
    _ jail: String, _ key: String, _ body: (inout RuntimeLimits.Change) -> Void
  ) async throws -> PickleValue {
    limits.change(jail, body)
    _ = try await daemon.reload(uid: uid)
    return try await get([jail, key])
  }

  private func ignore(_ jail: String, _ values: [String], adding: Bool) async throws -> PickleValue {
    let entries = try values.map { value in
      switch IgnoreEntry.parse(value) {
      case .success(let entry): return entry
      case .failure(let error): throw Fail2banError.value("\(error.message); \(error.remedy)")
      }
    }
    return try await change(jail, "ignoreip") { change in
      for entry in entries {
        change.ignored.removeAll { $0 == entry }
        if adding { change.ignored.append(entry) }
        if adding { change.notIgnored.remove(entry) } else { change.notIgnored.insert(entry) }
      }
    }
  }

  /// `attempt ADDRESS [LINE …]`: what a program has seen counts as if a log had told of it, a failure a line and at least one.
  private func attempt(_ jail: String, _ values: [String]) async throws -> PickleValue {
    guard let address = Address(values[0]) else {
      throw Fail2banError.value("`\(printable(values[0]))` is no address")
    }
    let lines = values.dropFirst()
    let failure = ReportedFailure(
      address: address, jail: jail, count: max(1, lines.count), text: lines.joined(separator: "\n"))
    _ = try await daemon.report(failure, from: "fail2ban-client (uid \(uid))")
    return .int(1)
  }

  // MARK: Bans by hand

  /// How many are new.
  private func ban(_ jail: String, _ ids: [String]) async throws -> PickleValue {
    let before = Set(try await daemon.bans(jail: jail).map(\.identity))
    var count = 0
    for id in ids where !before.contains(Identity(id)) {
      _ = try await daemon.ban(
        Identity(id), jail: jail, for: nil, force: false, confirm: nil, uid: uid,
        command: "fail2ban-client set \(jail) banip \(printable(id))", session: nil)
      count += 1
    }
    return .int(count)
  }

  /// How many were banned.
  private func unban(_ jail: String, _ words: [String]) async throws -> PickleValue {
    let ids = words.filter { $0 != "--report-absent" }
    let lifted = try await daemon.unban(
      ids.map { Identity($0) }, jail: jail, uid: uid,
      command: "fail2ban-client set \(jail) unbanip \(printable(ids.joined(separator: " ")))")
    let absent = zip(ids, lifted).filter { $1.lifted.isEmpty }.map(\.0)
    if words.count > ids.count, !absent.isEmpty {
      throw Fail2banError.value("not banned: [\(absent.map { "'\(printable($0))'" }.joined(separator: ", "))]")
    }
    return .int(ids.count - absent.count)
  }
}
