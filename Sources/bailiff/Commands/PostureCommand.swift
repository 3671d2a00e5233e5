import API
import ArgumentParser
import Inspection
import Model
import Settings
import System

struct PostureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "posture",
    abstract: "How well this machine is kept: a score, and what would raise it.",
    discussion: """
      Looks at the daemon, the settings, open ports without a jail, sshd, other programs that ban, the clock, files, and \
      pending security updates, and changes nothing. Each check has a weight; the score is the share that is met, 0 to 100. \
      As root the day's score is kept, and shown the next time.

      Examples:
        bailiff posture
        bailiff posture --json | jq .score
        bailiff posture --at-least 80
        bailiff posture --accept ssh_passwords --reason "customers need them" --for 90d

      Exits 4 when the score is below --at-least.
      """)

  @Option(name: .customLong("at-least"), help: "Exit with 4 below this score.")
  var atLeast: Int?
  @Option(help: ArgumentHelp("Live with a failure of this check for a time.", valueName: "check"))
  var accept: String?
  @Option(help: "Why it is accepted.")
  var reason: String?
  @Option(
    name: .customLong("for"), help: ArgumentHelp("How long it is accepted.", valueName: "time"),
    transform: parseSpan)
  var length: TimeSpan = .hours(90 * 24)
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if let atLeast, !(0...100).contains(atLeast) { throw ValidationError("--at-least is a score from 0 to 100") }
    if let accept, PostureCheck.Code(rawValue: accept) == nil {
      let known = PostureCheck.Code.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("there is no check `\(printable(accept))`; there are \(known)")
    }
    if (accept == nil) != (reason == nil) { throw ValidationError("--accept and --reason come together") }
  }

  func run() throws {
    let reading = config.read()
    let now = SystemClock.now()
    let state = reading.settings.state
    var file = try PostureFile.read(state: state)
    if let check = accept.flatMap(PostureCheck.Code.init), let reason {
      file.accept(check, reason: reason, until: now.adding(length))
      try file.write(state: state)
    }
    let status = try? config.client().status()
    let facts = PostureFacts.collect(daemon: status.map { .init(isDryRun: $0.dryRun, warnings: $0.warnings) })
    let reply = file.reply(Posture(facts, reading).checks, at: now)
    file.record(reply.score, at: now)
    // Whoever may not write there sees the score all the same.
    try? file.write(state: state)
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, on: Terminal()) }
    output.flush()
    if let atLeast, reply.score < atLeast { throw CommandFailure(.attention) }
  }
}

extension PostureReply {
  fileprivate func print(to output: inout Output, on terminal: Terminal) {
    let before = history.last.map { ", \($0.score) on \(LocalTime.text($0.time))" } ?? ""
    output.line("score \(score) of 100\(before)")
    output.line()
    var table = Table([.text("CHECK"), .text("STATE"), .number("WEIGHT"), .rest("EVIDENCE")])
    for check in checks {
      table.add(
        [check.check.rawValue, check.state.rawValue.replacing("_", with: " "), "\(check.weight)", check.evidence],
        style: check.state == .failed ? .red : nil)
    }
    table.print(to: &output, on: terminal)
    for check in checks where check.state == .failed {
      output.line()
      output.line("\(check.check.rawValue): \(printable(check.why))")
      output.line("  mend it: \(printable(check.remedy ?? ""))")
    }
    for check in checks where check.state == .accepted {
      let until = check.until.map { " until \(LocalTime.text($0))" } ?? ""
      output.line()
      output.line("\(check.check.rawValue) is accepted\(until): \(printable(check.reason ?? ""))")
    }
  }
}
