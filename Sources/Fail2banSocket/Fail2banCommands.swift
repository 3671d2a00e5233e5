internal import Detection
internal import Model
internal import Pipeline
internal import Settings
internal import System

/// fail2ban's commands (fail2ban-client(1), version 1.1), each with the answer that its own server would send.
struct Fail2banCommands: Sendable {
  /// What `version` answers: whose commands these are.
  static let version = "1.1.0"

  let daemon: Daemon
  let limits: RuntimeLimits
  /// Who asks.
  var uid: UInt32

  typealias Answer = PickleValue

  /// (0, answer) or (1, exception).
  func respond(to request: PickleValue) async -> PickleValue {
    do {
      guard case .list(let items) = request, !items.isEmpty else { throw Fail2banError.invalidCommand }
      return .tuple([.int(0), try await answer(items)])
    } catch let error as Fail2banError {
      return .tuple([.int(1), error.pickle])
    } catch let error as DaemonError {
      let text = [error.message, error.remedy].filter { !$0.isEmpty }.joined(separator: "; ")
      return .tuple([.int(1), Fail2banError.failed(text).pickle])
    } catch { return .tuple([.int(1), Fail2banError.failed("\(error)").pickle]) }
  }

  private func answer(_ items: [PickleValue]) async throws -> Answer {
    let words = items.map(\.word)
    let rest = Array(words.dropFirst())
    switch words[0] {
    case "ping": return .text("pong")
    case "version": return .text(Self.version)
    case "echo": return .list(rest.map { .text($0) })
    case "flushlogs": return .text("rolled over")
    case "status": return try await status(rest)
    case "stats", "statistics": return try await statistics()
    case "banned": return try await banned(rest)
    case "unban": return try await unban(rest)
    case "reload", "restart":
      limits.forget()
      _ = try await daemon.reload(uid: uid)
      return .text("OK")
    case "start":
      guard let jail = rest.first else { throw Fail2banError.invalidCommand }
      _ = try settings(jail)
      return .none
    case "stop":
      throw Fail2banError.failed(
        "Bailiff is not stopped by fail2ban's client; use systemctl stop bailiff, or `enabled: false` for a jail")
    case "get": return try await get(rest)
    case "set": return try await set(rest)
    default: throw Fail2banError.failed("Invalid command")
    }
  }

  // MARK: Jails

  var jails: [JailSettings] { daemon.settings.jails.filter(\.enabled) }

  func settings(_ name: String) throws -> JailSettings {
    guard let jail = jails.first(where: { $0.name == name }) else { throw Fail2banError.unknownJail(name) }
    return jail
  }

  private func report(_ jail: String) -> JailReport? { daemon.jailReports.first { $0.name == jail } }

  // MARK: Status

  private func status(_ words: [String]) async throws -> Answer {
    let names = jails.map(\.name)
    let overview: [Answer] = [
      .pair("Number of jail", .int(names.count)), .pair("Jail list", .text(names.joined(separator: ", "))),
    ]
    guard let first = words.first else { return .list(overview) }
    let flavor = words.count > 1 ? words[1] : "basic"
    guard first == "--all" else { return try await status(of: try settings(first), flavor) }
    var all: [Answer.Member] = []
    for jail in jails { all.append(.init(jail.name, try await status(of: jail, flavor))) }
    return .list(overview + [.dictionary(all)])
  }

  private func status(of jail: JailSettings, _ flavor: String) async throws -> Answer {
    if flavor == "stats" { return figures(jail) }
    let report = report(jail.name)
    var filter: [Answer] = [
      .pair("Currently failed", .int(report?.tracked ?? 0)), .pair("Total failed", .int(report?.failures ?? 0)),
    ]
    let sources = jail.sources()
    if !jail.readsJournal {
      filter.append(.pair("File list", .texts(sources.files)))
    } else {
      filter.append(.pair("Journal matches", .texts(sources.journal)))
    }
    var actions: [Answer] = [
      .pair("Currently banned", .int(report?.bansInForce ?? 0)), .pair("Total banned", .int(report?.bansEver ?? 0)),
    ]
    if flavor != "short" { actions.append(.pair("Banned IP list", .texts(try await ids(jail.name)))) }
    if flavor == "cymru" {
      // The real server asks Team Cymru's DNS about each address; we tell nobody whom we ban.
      for name in ["Banned ASN list", "Banned Country list", "Banned RIR list"] {
        actions.append(.pair(name, .list([])))
      }
    }
    return .list([.pair("Filter", .list(filter)), .pair("Actions", .list(actions))])
  }

  /// [backend, (failed now, failed ever), (banned now, banned ever)]
  private func figures(_ jail: JailSettings) -> Answer {
    let report = report(jail.name)
    return .list([
      .text(jail.readsJournal ? "systemd" : "pyinotify"),
      .tuple([.int(report?.tracked ?? 0), .int(report?.failures ?? 0)]),
      .tuple([.int(report?.bansInForce ?? 0), .int(report?.bansEver ?? 0)]),
    ])
  }

  private func statistics() async throws -> Answer {
    .dictionary(jails.map { .init($0.name, figures($0)) })
  }

  // MARK: Bans

  func ids(_ jail: String) async throws -> [String] { try await daemon.bans(jail: jail).map(\.identity.description) }

  private func banned(_ words: [String]) async throws -> Answer {
    let bans = Dictionary(grouping: try await daemon.bans(jail: nil), by: \.jail)
    guard !words.isEmpty else {
      return .list(
        jails.map { jail in
          .dictionary([.init(jail.name, .texts((bans[jail.name] ?? []).map(\.identity.description)))])
        })
    }
    return .list(
      words.map { id in
        let identity = Identity(id)
        return .texts(
          jails.map(\.name).filter { name in bans[name]?.contains { $0.identity.covers(identity) } == true })
      })
  }

  private func unban(_ words: [String]) async throws -> Answer {
    guard !words.isEmpty else { throw Fail2banError.failed("Invalid command") }
    let command = "fail2ban-client unban"
    guard !words.contains("--all") else {
      return .int(try await daemon.unbanAll(jail: nil, uid: uid, command: "\(command) --all").values.reduce(0, +))
    }
    let lifted = try await daemon.unban(
      words.map { Identity($0) }, jail: nil, uid: uid, command: "\(command) \(printable(words.joined(separator: " ")))")
    return .int(lifted.reduce(0) { $0 + $1.lifted.count })
  }
}

extension Identity {
  /// Is `other` banned with it?
  fileprivate func covers(_ other: Identity) -> Bool {
    if self == other { return true }
    guard let own = subnet, let subnet = other.subnet else { return false }
    return own.contains(subnet)
  }
}

extension JailSettings {
  /// Does it read the journal, and no files?
  fileprivate var readsJournal: Bool {
    let sources = sources()
    return !sources.journal.isEmpty && !sources.isJournalInstead
  }
}

extension PickleValue {
  static func pair(_ name: String, _ value: PickleValue) -> PickleValue { .tuple([.text(name), value]) }
  static func texts(_ texts: [String]) -> PickleValue { .list(texts.map { .text($0) }) }

  /// As a word of a command; clients send numbers as texts or as numbers.
  var word: String {
    switch self {
    case .text(let text): text
    case .int(let number): "\(number)"
    case .float(let number): "\(number)"
    case .bool(let flag): flag ? "true" : "false"
    default: ""
    }
  }
}
