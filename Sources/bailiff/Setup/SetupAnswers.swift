import ArgumentParser
import Filters
import Glibc
import Maintenance
import Model
import Settings
import System

/// The answers to `bailiff setup`'s five questions: from options, or what is sensible on this machine, or asked for.
struct Answers {
  enum Fail2ban: String, ExpressibleByArgument, CaseIterable {
    case takeOver = "take-over"
    case bans, leave
  }

  var ignore: [IgnoreEntry]
  var services: [String]
  var fail2ban: Fail2ban
  let database: String
  var firewall: String
  var confirm: TimeSpan?
  private let hasFail2ban: Bool

  /// What no option says is this machine's: the address of this SSH session, the services whose logs are here.
  init(_ command: SetupCommand, _ settings: Settings) throws {
    let session = ConfigOptions.session.map { "\($0)" } ?? ""
    ignore = try Self.entries(command.ignore ?? session)
    let watched = Set(settings.jails.map(\.name))
    let here = Settings.automatic(library: settings.library).jails.map(\.name)
    services = Self.list(command.services) ?? here.filter { !watched.contains($0) && Self.usual.contains($0) }
    if services == ["none"] { services = [] }
    hasFail2ban = (try? FileStatus.of(path: command.database)) != nil
    fail2ban = command.fail2ban ?? (hasFail2ban ? .takeOver : .leave)
    database = command.database
    firewall = command.firewall ?? (settings.firewall.backend == .dryRun ? "auto" : settings.firewall.backend.rawValue)
    confirm = command.confirm
    for service in services where !settings.library.all().filters.contains(where: { $0.name == service }) {
      throw ValidationError("there is no filter `\(printable(service))`; `bailiff filter list` has their names")
    }
  }

  /// Services that nearly every machine with their logs wants watched; others are for whoever names them.
  private static let usual: Set<String> = ["sshd", "postfix", "dovecot", "nginx-http-auth", "vsftpd", "proftpd"]

  private static func entries(_ text: String) throws -> [IgnoreEntry] {
    try (list(text) ?? []).map { entry in
      switch IgnoreEntry.parse(entry) {
      case .success(let entry): entry
      case .failure(let error): throw ValidationError("\(error)")
      }
    }
  }

  private static func list(_ text: String?) -> [String]? {
    text.map { $0.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init) }
  }

  /// An empty line takes what is in brackets.
  mutating func ask() throws {
    guard isatty(STDIN_FILENO) != 0 else {
      throw ValidationError("there is no terminal to ask on; give --yes, and options where its answers are not yours")
    }
    let session = ConfigOptions.session.map { "\($0)" } ?? ""
    ignore = try Self.entries(Self.line("1. Your own addresses and networks, never banned", session))
    services =
      Self.list(Self.line("2. Services to watch, besides those in the settings", services.joined(separator: ", ")))
      ?? services
    if hasFail2ban {
      let choices = "3. fail2ban's bans: take-over (and stop it), bans (leave it running), leave"
      fail2ban = Fail2ban(rawValue: Self.line(choices, fail2ban.rawValue)) ?? fail2ban
    } else {
      Diagnostics.write("3. fail2ban is not here\n")
    }
    firewall = Self.line("4. What carries bans out: auto, ipset, nftables", firewall)
    let time = Self.line("5. Undo it all unless you confirm within", confirm?.brief ?? "5m")
    confirm = time == "no" ? nil : try parseSpan(time)
  }

  private static func line(_ question: String, _ answer: String) -> String {
    Diagnostics.write("\(question) [\(answer.isEmpty ? "none" : printable(answer))]: ")
    guard let typed = readLine(), !typed.isEmpty else { return answer }
    return typed
  }
}
