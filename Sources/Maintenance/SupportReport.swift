internal import Glibc
internal import Settings
internal import System

/// What a bug report needs of this machine, as Markdown to read before it is sent.
///
/// No line of a log is in it but the daemon's own, and no secret.
public struct SupportReport: Sendable {
  public struct Section: Sendable {
    public var title: String
    public var text: String

    public init(_ title: String, _ text: String) {
      self.title = title
      self.text = text
    }
  }

  public var sections: [Section]

  /// - Parameter first: what the caller knows; the system, the unit, the journal and the firewall are added to it.
  public init(_ first: [Section]) {
    sections = first + [Self.system] + Self.programs.map { Section($0.title, Self.output($0)) }
  }

  /// - Parameter asIs: with addresses and names; without, each is replaced by a word (`Pseudonyms`).
  public func markdown(asIs: Bool) -> String {
    var pseudonyms = Pseudonyms(hosts: Self.hosts, users: Self.users)
    let warning =
      asIs
      ? "Addresses and names are in it as they are: send it to people you trust only."
      : "Addresses, names of machines and of people are replaced, the same by the same word. Read it before you send it."
    let body = sections.map { section in
      let text = asIs ? section.text : pseudonyms.replacing(section.text)
      return "## \(section.title)\n\n```\n\(printableLines(text))\n```\n"
    }
    return "# Bailiff's support report\n\n\(warning)\n\n" + body.joined(separator: "\n")
  }

  private func printableLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(separator: "\n")
      // What would end the block is a line of it.
      .replacing("```", with: "'''")
  }
}

// MARK: This machine

extension SupportReport {
  private struct Question {
    var title: String
    var program: String
    var arguments: [String]
  }

  /// They print to standard output, need nobody, and change nothing.
  private static let programs = [
    Question(
      title: "The unit", program: "systemctl",
      arguments: [
        "show", "bailiff.service",
        "--property=ActiveState,SubState,Result,ExecMainStatus,NRestarts,ActiveEnterTimestamp,MemoryCurrent,CPUUsageNSec,DropInPaths",
      ]),
    Question(
      title: "Its journal, the last 300 lines", program: "journalctl",
      arguments: [
        "--unit=bailiff.service", "--lines=300", "--output=short-iso", "--no-hostname", "--no-pager", "--quiet",
      ]),
    Question(title: "Sets", program: "ipset", arguments: ["list", "-terse"]),
    Question(title: "Rules, IPv4", program: "iptables", arguments: ["-S"]),
    Question(title: "Rules, IPv6", program: "ip6tables", arguments: ["-S"]),
    Question(title: "Tables of nftables", program: "nft", arguments: ["list", "tables"]),
  ]

  /// The end of what a program prints: the last lines of a journal are those that matter, and nobody reads thousands of rules.
  private static func output(_ question: Question, lines: Int = 300) -> String {
    guard let path = Program.find(question.program) else { return "there is no program \(question.program)" }
    do {
      let result = try Program(path: path, arguments: question.arguments).run(deadline: 20)
      let all = (result.output + result.errors).split(separator: "\n")
      let left = all.count > lines ? ["(\(all.count - lines) lines before these)"] : []
      return (left + all.suffix(lines).map(String.init)).joined(separator: "\n")
    } catch {
      return "\(error)"
    }
  }

  private static var system: Section {
    let release = (SmallFile.text("/etc/os-release") ?? "").split(separator: "\n")
    let name = release.first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst("PRETTY_NAME=".count)
    let kernel = (SmallFile.text("/proc/version") ?? "unknown").split(separator: " ").prefix(3).joined(separator: " ")
    let memory = (SmallFile.text("/proc/meminfo") ?? "").split(separator: "\n").prefix(3).joined(separator: "\n")
    return Section(
      "The system",
      "\(name.map(String.init) ?? "unknown")\n\(kernel), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors\n\(memory)")
  }

  /// hostname(5), and the names that /etc/hosts has for this machine's own addresses.
  private static var hosts: [String] {
    let own = [
      SmallFile.text("/proc/sys/kernel/hostname"), SmallFile.text("/etc/hostname"), SmallFile.text("/etc/mailname"),
    ]
    return own.compactMap { $0?.split(whereSeparator: \.isWhitespace).first.map(String.init) }
  }

  /// People's accounts; login.defs(5) begins them at 1000.
  private static var users: [String] {
    (SmallFile.text("/etc/passwd") ?? "").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count > 2, let id = UInt32(fields[2]), (1000..<60_000).contains(id) else { return nil }
      return String(fields[0])
    }
  }
}
