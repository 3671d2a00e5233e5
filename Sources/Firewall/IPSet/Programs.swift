import Glibc
import System

/// The programs for rare acts. They are looked for in the system's directories, not along a PATH that a caller may set.
struct Programs: Sendable {
  var directories = Program.systemDirectories

  /// How long iptables waits for another program's lock, in seconds.
  static let lockWait = 10

  func path(_ program: String) -> String? { Program.find(program, in: directories) }

  /// Runs `program`; anything but exit code 0 is an error with what it printed.
  @discardableResult
  func run(_ program: String, _ arguments: [String], input: String = "") throws(FirewallError) -> String {
    guard let path = path(program) else {
      let package = program.hasPrefix("ipset") ? "ipset" : "iptables"
      throw FirewallError(
        .programMissing,
        "\(program) is not installed (looked in \(directories.joined(separator: ", "))): `apt install \(package)`, or use the "
          + "dry-run backend")
    }
    let result: Program.Result
    do throws(SystemError) {
      result = try Program(path: path, arguments: arguments).run(input: input)
    } catch {
      throw FirewallError(error.code == ETIMEDOUT ? .timedOut : .programFailed, error.description)
    }
    guard result.status == 0 else {
      let text = result.errors.split(separator: "\n").filter { !$0.isEmpty }
      let shown = text.prefix(3).joined(separator: "; ")
      let command = ([program] + arguments).joined(separator: " ")
      // iptables' set match asks for the set's number through a raw socket, and says only that it cannot open it.
      let refused = ["Permission denied", "Operation not permitted", "Can't open socket to ipset"]
      if refused.contains(where: shown.contains) { throw .notPermitted(program: program) }
      throw FirewallError(
        .programFailed,
        "`\(command)` failed with status \(result.status): \(shown.isEmpty ? "it printed nothing" : shown)")
    }
    return result.output
  }

  // MARK: iptables(8), ip6tables(8)

  private func name(_ family: AddressFamily) -> String { family == .ipv4 ? "iptables" : "ip6tables" }

  func filterTable(_ family: AddressFamily) throws(FirewallError) -> FilterTable {
    FilterTable(listing: try run(name(family), ["-w", "\(Self.lockWait)", "-t", "filter", "-S"]))
  }

  /// Our chain with what each rule has counted.
  func countedRules(_ family: AddressFamily, of chain: String = ChainRules.chain) throws(FirewallError) -> String {
    try run(name(family), ["-w", "\(Self.lockWait)", "-t", "filter", "-S", chain, "-v"])
  }

  /// `iptables v1.8.9 (legacy)`, or `(nf_tables)`; versions before 1.8 say neither and are legacy.
  func isLegacy() throws(FirewallError) -> Bool {
    try !run(path("iptables") == nil ? "ip6tables" : "iptables", ["-V"]).contains("nf_tables")
  }

  /// Applies lines of `iptables-restore` to the filter table in one step; what they do not name stays as it is.
  func change(_ family: AddressFamily, _ lines: [String]) throws(FirewallError) {
    let input = (["*filter"] + lines + ["COMMIT", ""]).joined(separator: "\n")
    try run(name(family) + "-restore", ["-w", "\(Self.lockWait)", "--noflush"], input: input)
  }

  // MARK: ipset(8)

  func createSets(_ lines: [String]) throws(FirewallError) {
    try run("ipset", ["-exist", "restore"], input: lines.joined(separator: "\n") + "\n")
  }

  /// Removes sets; gives those that could not be, with the reason. The kernel releases a set some milliseconds after the
  /// last rule that named it, because nf_tables destroys rules in the background.
  func destroySets(_ names: [String]) -> [(name: String, error: FirewallError)] {
    var left = names.map { (name: $0, error: FirewallError(.programFailed, "")) }
    for attempt in 0..<50 where !left.isEmpty {
      if attempt > 0 { usleep(20_000) }
      left = left.compactMap { item -> (name: String, error: FirewallError)? in
        do throws(FirewallError) {
          try run("ipset", ["destroy", item.name])
          return nil
        } catch {
          return (item.name, error)
        }
      }
      if !left.contains(where: { $0.error.message.contains("in use") }) { break }
    }
    return left
  }
}
