public import Model
internal import System

/// What is seen of this machine, apart from what is thought of it.
public struct PostureFacts: Sendable {
  /// What the running daemon says; nil: there is none.
  public struct Daemon: Sendable {
    public var isDryRun: Bool
    public var warnings: [Warning]

    public init(isDryRun: Bool, warnings: [Warning]) {
      self.isDryRun = isDryRun
      self.warnings = warnings
    }
  }

  public var daemon: Daemon?
  /// TCP ports that are open to more than this machine.
  public var openPorts: Set<UInt16> = []
  /// `sshd -T`, by keyword; nil: there is no sshd, or this user may not ask it.
  public var sshd: [String: String]?
  /// Names of processes.
  public var processes: Set<String> = []
  /// Is the clock kept in time? Nil: the kernel does not say.
  public var isClockSynchronised: Bool?
  /// Pending ones of the distribution's; nil: not known.
  public var securityUpdates: [String]?

  public init(daemon: Daemon?) { self.daemon = daemon }

  /// Looks; runs `sshd -T` and `apt-get --simulate`, which change nothing, and takes some seconds.
  public static func collect(daemon: Daemon?) -> PostureFacts {
    var facts = PostureFacts(daemon: daemon)
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
      facts.openPorts.formUnion(openPorts(SmallFile.text(table, limit: 16 << 20) ?? ""))
    }
    facts.sshd = output("sshd", ["-T"]).map(sshd)
    for name in (try? Directory.names("/proc")) ?? [] where name.first?.isNumber == true {
      if let command = SmallFile.text("/proc/\(name)/comm") {
        facts.processes.insert(String(command.prefix { $0 != "\n" }))
      }
    }
    facts.isClockSynchronised = SystemClock.isSynchronised
    facts.securityUpdates = output("apt-get", ["--simulate", "-o", "Debug::NoLocking=true", "upgrade"]).map(updates)
    return facts
  }

  private static func output(_ name: String, _ arguments: [String]) -> String? {
    guard let path = Program.find(name), let result = try? Program(path: path, arguments: arguments).run(deadline: 20),
      result.status == 0
    else { return nil }
    return result.output
  }

  /// Listening sockets of proc_pid_net(5)'s tcp, `0100007F:0016 … 0A`, on other addresses than the loopback's.
  static func openPorts(_ table: String) -> Set<UInt16> {
    var ports: Set<UInt16> = []
    for line in table.split(separator: "\n").dropFirst() {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.count > 3, words[3] == "0A" else { continue }
      let ends = words[1].split(separator: ":")
      guard ends.count == 2, let port = UInt16(ends[1], radix: 16) else { continue }
      // 127.0.0.0/8 as a word of this machine's order, ::1, and ::ffff:127.0.0.0/8.
      let isLoopback =
        ends[0].count == 8
        ? ends[0].hasSuffix("7F")
        : ends[0] == "00000000000000000000000001000000"
          || (ends[0].hasPrefix("0000000000000000FFFF0000") && ends[0].hasSuffix("7F"))
      if !isLoopback { ports.insert(port) }
    }
    return ports
  }

  /// `passwordauthentication yes`, a line each.
  static func sshd(_ output: String) -> [String: String] {
    var values: [String: String] = [:]
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2 { values[words[0].lowercased()] = String(words[1]) }
    }
    return values
  }

  /// `Inst libssl3 [3.0.11] (3.0.13 Debian-Security:12/stable-security [amd64])`
  static func updates(_ output: String) -> [String] {
    output.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("Inst "), line.lowercased().contains("security") else { return nil }
      return line.split(separator: " ").dropFirst().first.map(String.init)
    }
  }
}
