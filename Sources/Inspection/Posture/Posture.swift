internal import Filters
internal import Glibc
internal import Model
public import Settings
internal import System

/// Judges what was seen: each check with its weight, its evidence, why it matters and what mends it.
public struct Posture: Sendable {
  private let facts: PostureFacts
  private let reading: Settings.Reading

  public init(_ facts: PostureFacts, _ reading: Settings.Reading) {
    self.facts = facts
    self.reading = reading
  }

  public var checks: [PostureCheck] {
    [
      daemonWell, enforcing, settingsRight, servicesWatched, sshPasswords, sshRoot, otherBanners, clock, privateFiles,
      retention, securityUpdates,
    ]
  }

  private var settings: Settings { reading.settings }

  private var daemonWell: PostureCheck {
    let problem: (String, String)?
    if let daemon = facts.daemon {
      problem =
        daemon.warnings.isEmpty
        ? nil
        : (
          daemon.warnings.map(\.description).joined(separator: "; "), "bailiff status; docs/warnings.md has each remedy"
        )
    } else {
      problem = ("no daemon answers on \(settings.socket)", "systemctl enable --now bailiff")
    }
    return PostureCheck(
      .daemonWell, weight: 20, why: "what does not run, or does not see its logs, bans nobody",
      met: "the daemon runs and has no warnings", problem: problem)
  }

  private var enforcing: PostureCheck {
    guard let daemon = facts.daemon else { return PostureCheck(.enforcing, notApplicable: "no daemon runs") }
    return PostureCheck(
      .enforcing, weight: 15, why: "a dry run decides and records, and keeps nobody out",
      met: "bans are carried out",
      problem: daemon.isDryRun
        ? (
          "the daemon runs without changing the firewall", "set `firewall: {backend: auto}`, start it without --dry-run"
        )
        : nil)
  }

  private var settingsRight: PostureCheck {
    PostureCheck(
      .settingsRight, weight: 10, why: "a jail with an error does not run after the next start",
      met: "the settings have no errors",
      problem: reading.errors.first.map {
        (
          reading.errors.count == 1
            ? $0.description
            : "\($0.description), and \(counted(reading.errors.count - 1, "more error", plural: "more errors"))",
          "bailiff check"
        )
      })
  }

  /// Open ports that a shipped filter knows, and that no jail's ban closes.
  private var servicesWatched: PostureCheck {
    let (filters, _) = settings.library.all()
    guard !filters.isEmpty else { return PostureCheck(.servicesWatched, notApplicable: "there are no filters") }
    let enabled = settings.jails.filter(\.enabled)
    let unwatched = facts.openPorts.sorted().compactMap { port -> (port: UInt16, filter: String)? in
      let knowing = filters.filter { $0.port.contains { Ports.range($0)?.contains(port) ?? false } }
      guard let first = knowing.first, !enabled.contains(where: { jail in Self.closes(jail.ports, port) }) else {
        return nil
      }
      return (port, first.name)
    }
    let text = unwatched.map { "port \($0.port) (\($0.filter))" }.joined(separator: ", ")
    return PostureCheck(
      .servicesWatched, weight: 15, why: "a service that nobody watches may be tried for as long as somebody likes",
      met: "every open port of a service that a filter knows has a jail",
      problem: unwatched.first.map {
        ("without a jail: \(text)", "add to bailiff.yaml: `jails: {\($0.filter): {filter: \($0.filter)}}`")
      })
  }

  private static func closes(_ ports: Ports, _ port: UInt16) -> Bool {
    switch ports {
    case .all: true
    case .list(let ranges): ranges.contains { $0.contains(port) }
    }
  }

  private var sshPasswords: PostureCheck {
    guard let sshd = facts.sshd else { return PostureCheck(.sshPasswords, notApplicable: Self.noSSH) }
    let isOn = sshd["passwordauthentication"] == "yes"
    return PostureCheck(
      .sshPasswords, weight: 10, why: "a password can be guessed from many addresses at once, a key cannot",
      met: "sshd takes no passwords",
      problem: isOn
        ? (
          "sshd -T: passwordauthentication yes",
          "set `PasswordAuthentication no` in /etc/ssh/sshd_config.d/, when you can log in with a key"
        ) : nil)
  }

  private var sshRoot: PostureCheck {
    guard let sshd = facts.sshd else { return PostureCheck(.sshRoot, notApplicable: Self.noSSH) }
    let isOn = sshd["permitrootlogin"] == "yes"
    return PostureCheck(
      .sshRoot, weight: 5, why: "root is the one account whose name everybody knows",
      met: "root cannot log in with a password",
      problem: isOn
        ? ("sshd -T: permitrootlogin yes", "set `PermitRootLogin prohibit-password` in /etc/ssh/sshd_config.d/") : nil)
  }

  private static let noSSH = "there is no sshd, or this user may not ask it (`sshd -T`)"

  private var otherBanners: PostureCheck {
    let known = ["fail2ban-server", "sshguard", "denyhosts", "crowdsec"]
    let found = known.filter { facts.processes.contains($0) }
    return PostureCheck(
      .otherBanners, weight: 5, why: "two that ban from the same logs lift and change what the other did",
      met: "no other program bans",
      problem: found.first.map {
        (
          "\(found.joined(separator: ", ")) runs as well",
          $0 == "fail2ban-server"
            ? "systemctl disable --now fail2ban, after `bailiff import fail2ban`" : "stop one of them"
        )
      })
  }

  private var clock: PostureCheck {
    guard let isSynchronised = facts.isClockSynchronised else {
      return PostureCheck(.clock, notApplicable: "the kernel does not say whether the clock is kept in time")
    }
    return PostureCheck(
      .clock, weight: 5, why: "an audit is worth what its times are worth", met: "the clock is kept in time",
      problem: isSynchronised
        ? nil : ("the kernel's clock is not synchronised", "systemctl enable --now systemd-timesyncd, or chrony"))
  }

  /// Settings may hold tokens, and the store has people's names.
  private var privateFiles: PostureCheck {
    let open = [settings.file, settings.database].filter { path in
      guard !path.isEmpty, let status = try? FileStatus.of(path: path) else { return false }
      return status.mode & (path == settings.database ? S_IROTH | S_IWOTH : S_IWOTH) != 0
    }
    return PostureCheck(
      .privateFiles, weight: 5,
      why: "the store has names and addresses of people; whoever may write the settings may ban",
      met: "store and settings are not open to everybody",
      problem: open.first.map {
        ("open to everybody: \(open.joined(separator: ", "))", "chmod o-rwx \($0)")
      })
  }

  private var retention: PostureCheck {
    let shortest = [settings.retention.failures, settings.retention.bans].compactMap(\.self).min()
    return PostureCheck(
      .retention, weight: 5, why: "what happened is often asked weeks after it happened",
      met: "the audit is kept for 30 days or longer",
      problem: shortest.flatMap {
        $0 < .hours(30 * 24)
          ? ("the audit is kept for \($0.brief)", "set `retention: {failures: 90d, bans: 1y}`") : nil
      })
  }

  private var securityUpdates: PostureCheck {
    guard let updates = facts.securityUpdates else {
      return PostureCheck(.securityUpdates, notApplicable: "apt-get does not answer")
    }
    let names = updates.prefix(5).joined(separator: ", ") + (updates.count > 5 ? " …" : "")
    return PostureCheck(
      .securityUpdates, weight: 10, why: "what is known to be broken is tried within days",
      met: "no security updates are pending",
      problem: updates.isEmpty
        ? nil : ("\(counted(updates.count, "pending security update")): \(names)", "apt-get update && apt-get upgrade"))
  }
}
