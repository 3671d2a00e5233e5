import API
import ArgumentParser
import Firewall
import System

struct FirewallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "firewall",
    abstract: "What Bailiff has in the kernel's firewall, and how it is taken away.",
    discussion: """
      Examples:
        bailiff firewall show
        bailiff firewall clear
        bailiff firewall sets
      """,
    subcommands: [FirewallShow.self, FirewallClear.self, FirewallSets.self])
}

struct FirewallShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "The tables, chains, jumps and sets of Bailiff's, asked of the kernel.",
    discussion: """
      Examples:
        bailiff firewall show
        bailiff firewall show --json | jq -r .name

      REFUSED is what the bans of a chain have refused since its rules were made. No daemon and no settings are needed; root is.
      """)

  @OptionGroup var format: JSONOption

  func run() throws {
    let objects = try FirewallBackend.inventory()
    var output = Output()
    if format.json {
      for object in objects { output.json(object.members) }
    } else if objects.isEmpty {
      output.line("nothing of Bailiff's is in the firewall")
    } else {
      var table = Table([
        .text("BACKEND"), .text("WHAT"), .text("NAME"), .number("BANS"), .number("REFUSED"), .number("BYTES"),
      ])
      for object in objects {
        table.add([
          object.backend.rawValue, object.kind.rawValue, object.name, object.entries.map(grouped) ?? "",
          object.refused.map { grouped($0.packets) } ?? "", object.refused.map { byteSize($0.bytes) } ?? "",
        ])
      }
      table.print(to: &output, on: Terminal())
    }
    output.flush()
  }
}

struct FirewallClear: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Remove everything of Bailiff's from the firewall, bans too.",
    discussion: """
      Examples:
        bailiff firewall clear

      What other programs have made is not touched. Bans stay in the store: they are in force again when the daemon starts.
      It needs no daemon, no settings, and of the firewall's programs only those whose rules there are. It exits 1 while the
      daemon runs, which would put everything back, and 0 where there is nothing to remove.
      """)

  @OptionGroup var config: ConfigOptions

  func run() throws {
    if let daemon = config.runningDaemon, !daemon.dryRun {
      throw CommandFailure(
        .rejected,
        "the daemon is running (pid \(daemon.pid)) and would put everything back: stop it first (`systemctl stop bailiff`)"
      )
    }
    // What cannot be listed can be removed all the same.
    let objects = try? FirewallBackend.inventory()
    try FirewallBackend.clearAll()
    var output = Output()
    for object in objects ?? [] where object.kind != .chain || object.backend == .ipset {
      output.line("removed \(object.kind.rawValue) \(object.name)")
    }
    if objects?.isEmpty == true { output.line("nothing of Bailiff's is in the firewall") }
    output.flush()
  }
}

struct FirewallSets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sets",
    abstract: "Make the sets that saved rules of iptables name, so that they can be loaded.",
    discussion: """
      Examples:
        bailiff firewall sets
        bailiff firewall sets /root/rules.v4 && iptables-restore /root/rules.v4

      Rules that were saved while Bailiff ran name its sets, and iptables-restore loads no rule of a file that names a set which
      does not exist. The sets are made empty; the daemon fills them. At boot bailiff-sets.service does it.
      """)

  @Argument(
    help: ArgumentHelp(
      "What iptables-save has written; those of netfilter-persistent and iptables-services unless given.",
      valueName: "file"), completion: .file())
  var files: [String] = SavedRules.files

  func run() throws {
    var output = Output()
    for set in try SavedRules.makeSets(for: files) { output.line("made set \(set)") }
    output.flush()
  }
}

extension FirewallObject {
  fileprivate var members: [(String, JSON)] {
    [
      ("backend", .string(backend.rawValue)), ("kind", .string(kind.rawValue)), ("name", .string(name)),
      ("bans", entries.map { .number($0) } ?? .null), ("packets", refused.map { .number($0.packets) } ?? .null),
      ("bytes", refused.map { .number($0.bytes) } ?? .null),
    ]
  }
}
