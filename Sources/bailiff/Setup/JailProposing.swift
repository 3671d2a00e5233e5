import ArgumentParser
import Glibc
import Inspection
import Model
import Settings
import System

/// `bailiff setup` without a step: jails for what runs here.
struct JailProposing {
  let config: ConfigOptions
  let root: String

  func run(yes: Bool, print: Bool, check: Bool) throws {
    // Without a file the daemon watches everything, and bans nobody: nothing of that was chosen.
    let settings = config.isAutomatic ? Settings() : try present()
    let library = settings.library.all()
    guard library.errors.isEmpty else { throw SettingsErrors(library.errors) }
    let now = Int(SystemClock.now().microseconds / 1_000_000)
    let proposal = SetupProposal(
      MachineFacts.collect(root: root), filters: library.filters, present: settings.jails, now: now)
    var output = Output()
    if print {
      output.write(yaml(proposal.jails))
      return output.flush()
    }
    show(proposal, settings, to: &output)
    output.flush()
    guard !proposal.jails.isEmpty else { return }
    if check { throw CommandFailure(.rejected) }
    let chosen = yes ? proposal.jails : try ask(proposal.jails)
    guard !chosen.isEmpty else { return }
    try write(chosen, to: &output)
    output.flush()
  }

  /// A file without jails is a beginning; other mistakes are to be mended first.
  private func present() throws -> Settings {
    let reading = config.read()
    if reading.errors.isEmpty { return reading.settings }
    guard reading.settings.jails.isEmpty, reading.errors.count == 1 else { throw SettingsErrors(reading.errors) }
    return try config.general()
  }

  // MARK: Text

  private func yaml(_ jails: [SetupProposal.Jail]) -> String {
    guard !jails.isEmpty else { return "# nothing here that has a filter is without a jail\n" }
    return "jails:\n"
      + jails.map { "  \($0.name): \($0.yaml)  # \(printable($0.why.joined(separator: "; ")))\n" }.joined()
  }

  private func show(_ proposal: SetupProposal, _ settings: Settings, to output: inout Output) {
    if proposal.jails.isEmpty {
      output.line("nothing to add: whatever runs here and has a filter has a jail")
    } else {
      var table = Table([.number(""), .text("JAIL"), .text("READS"), .rest("WHY")])
      for (index, jail) in proposal.jails.enumerated() {
        let ports = jail.port.isEmpty ? "" : "; its ports are \(jail.port.map(String.init).joined(separator: ", "))"
        table.add([
          "\(index + 1)", jail.name, printable(jail.reads), printable(jail.why.joined(separator: "; ") + ports),
        ])
      }
      table.print(to: &output, on: Terminal())
    }
    if !proposal.unwatched.isEmpty {
      output.line("listening without a jail:")
      for row in proposal.unwatched {
        let program = row.program.isEmpty ? "a program that only root may see" : printable(row.program)
        output.line(
          "  \(row.port)  \(program)" + (row.filter.map { ": filter \($0) knows it, its log was not found" } ?? ""))
      }
    }
    if settings.ignoreip.isEmpty, !proposal.jails.isEmpty {
      let session = ConfigOptions.session.map { "; you come from \($0)" } ?? ""
      output.line("nobody is in `ignoreip`, and setup adds nobody: put your own addresses there\(session)")
    }
  }

  /// All, none, or some by their numbers.
  private func ask(_ jails: [SetupProposal.Jail]) throws -> [SetupProposal.Jail] {
    guard isatty(STDIN_FILENO) != 0 else {
      Diagnostics.write("nothing was written; --yes writes all, --print prints them as YAML\n")
      return []
    }
    Diagnostics.write("write them to \(printable(config.path))? [all], none, or numbers with commas: ")
    let answer = (readLine() ?? "none").lowercased()
    if ["", "all", "y", "yes"].contains(answer) { return jails }
    if ["none", "n", "no"].contains(answer) { return [] }
    let numbers = answer.split { ", ".contains($0) }.map { Int($0) }
    guard numbers.allSatisfy({ $0.map { (1...jails.count).contains($0) } ?? false }) else {
      throw ValidationError("`\(printable(answer))` is none of the numbers; nothing was written")
    }
    return numbers.compactMap { $0.map { jails[$0 - 1] } }
  }

  // MARK: Files

  private func write(_ jails: [SetupProposal.Jail], to output: inout Output) throws {
    if config.isAutomatic { try begin(&output) }
    for jail in jails {
      let set = try SettingsChange(setting: ["jails", jail.name], to: jail.yaml, in: config.path) {
        config.read(replacing: $0)
      }
      guard let set else { continue }
      try set.write()
      for line in set.difference { output.line(printable(line)) }
    }
    output.line(
      config.runningDaemon == nil
        ? "bailiff check, then bailiff run; bailiff setup --go-live has it ban" : "bailiff reload takes them in force")
  }

  /// The first settings watch, and ban nobody.
  private func begin(_ output: inout Output) throws {
    let text =
      "# Written by bailiff setup. It watches, and bans nobody until bailiff setup --go-live.\nfirewall: {backend: dry-run}\n"
    if let parent = Directory.parent(of: config.path) { try Directory.make(parent) }
    try SmallFile.replace(config.path, with: Array(text.utf8))
    output.line(printable("\(config.path) is new"))
  }
}
