import ArgumentParser
import Model
import Outputs
import Settings
import System

struct OutputCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "output",
    abstract: "Who is told what happens: webhooks, mail, programs, files, syslog, edges, reports.",
    discussion: """
      Outputs are in the settings, under `outputs:` (docs/outputs.md).

        bailiff output list
        bailiff output test ops
        bailiff output clear cloudflare
      """,
    subcommands: [OutputList.self, OutputTest.self, OutputClear.self])
}

struct OutputTest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send one message that says it is a test, and tell what came back.",
    discussion: """
      It is about a ban of 192.0.2.1, an address that nobody has. An edge is told the bans in force; AbuseIPDB is asked whether \
      it knows the key, and gets no report. Limits, digests and quiet hours do not hold it back. It is
      sent by this command and not by the daemon: what only the service may do or see (credentials, its sandbox) is not tried.

      Examples:
        bailiff output test ops
        bailiff output test mail --config ./bailiff.yaml
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption
  @Argument(help: "The output's name in the settings.")
  var name: String

  func run() throws {
    let (output, settings) = try config.output(name)
    let start = monotonicSeconds()
    var failure: OutputTestFailure?
    var answer = ""
    do throws(OutputTestFailure) {
      answer = try Outputs(version: Bailiff.version) { _ in }.test(output, settings)
    } catch {
      failure = error
    }
    let milliseconds = Int((monotonicSeconds() - start) * 1000)
    if format.json {
      var result = Output()
      result.json(
        OutputTestReply(
          output: name, type: output.destination.type, delivered: failure == nil,
          answer: failure?.description ?? answer, milliseconds: milliseconds))
      result.flush()
      if failure != nil { throw CommandFailure(.rejected) }
      return
    }
    if let failure { throw CommandFailure(.rejected, "output \(name) (\(output.destination.type)): \(failure)") }
    var result = Output()
    result.line("output \(name) (\(output.destination.type)): \(printable(answer)), in \(milliseconds) ms")
    result.flush()
  }
}

struct OutputClear: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Empty an edge's list, before you take the edge out of the settings.",
    discussion: """
      What is not told any more keeps its last list. A daemon that runs fills it again with the next ban: set `enabled: false` first,
      and `bailiff reload`.

      Example:
        bailiff output clear cloudflare
      """)

  @OptionGroup var config: ConfigOptions
  @Argument(help: "The edge's name in the settings.")
  var name: String

  func run() throws {
    let (output, _) = try config.output(name)
    let answer: String?
    do throws(OutputTestFailure) { answer = try Outputs(version: Bailiff.version) { _ in }.clear(output) } catch {
      throw CommandFailure(.rejected, "output \(name) (\(output.destination.type)): \(error)")
    }
    guard let answer else {
      throw CommandFailure(.usage, "output `\(name)` is of type \(output.destination.type); only an edge has a list")
    }
    var result = Output()
    result.line("output \(name) (edge): \(printable(answer))")
    result.flush()
  }
}

extension ConfigOptions {
  /// One output of the settings, which must be right.
  fileprivate func output(_ name: String) throws -> (OutputSettings, Settings) {
    let reading = read()
    let own = reading.errors.filter { $0.output == name }
    guard own.isEmpty else { throw SettingsErrors(own) }
    guard reading.generalErrors.isEmpty else { throw SettingsErrors(reading.generalErrors) }
    guard let output = reading.settings.outputs.first(where: { $0.name == name }) else {
      let names = reading.settings.outputs.map(\.name)
      throw CommandFailure(
        .usage,
        names.isEmpty
          ? "\(path) has no `outputs`"
          : "there is no output `\(name)`; there are: \(names.joined(separator: ", "))")
    }
    return (output, reading.settings)
  }
}

struct OutputList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The outputs of the settings, and what each is told.",
    discussion: """
      How they are doing is part of `bailiff status`.

      Examples:
        bailiff output list
        bailiff output list --json
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reading = config.read()
    let own = reading.errors.filter { $0.output != nil || $0.jail == nil }
    guard own.isEmpty else { throw SettingsErrors(own) }
    var result = Output()
    var table = Table([.text("NAME"), .text("TYPE"), .text("KINDS"), .rest("JAILS"), .rest("WHEN")])
    for output in reading.settings.outputs {
      let kinds = OutputSettings.Kind.allCases.filter(output.kinds.contains).map(\.rawValue)
      let jails = output.jails.sorted()
      if format.json {
        result.json(
          OutputReply(
            name: output.name, type: output.destination.type, enabled: output.enabled, kinds: kinds, jails: jails,
            severity: output.severity.rawValue))
        continue
      }
      table.add([
        output.name, output.destination.type, kinds.joined(separator: ","),
        jails.isEmpty ? "all" : jails.joined(separator: ","),
        output.when,
      ])
    }
    if !format.json {
      if reading.settings.outputs.isEmpty {
        result.line("no outputs; nobody is told (docs/outputs.md)")
      } else {
        table.print(to: &result, on: Terminal())
      }
    }
    result.flush()
  }
}

extension OutputSettings {
  fileprivate var when: String {
    guard enabled else { return "disabled" }
    var parts: [String] = []
    if let digest { parts.append("a digest of \(digest.brief)") }
    if let rate { parts.append("at most \(rate.count) in \(rate.span.brief)") }
    if quiet != nil { parts.append("but for quiet hours") }
    return parts.isEmpty ? "at once" : parts.joined(separator: ", ")
  }
}

/// What `output test` says.
private struct OutputTestReply: Encodable {
  var output: String
  var type: String
  var delivered: Bool
  /// The receiver's, or why there is none.
  var answer: String
  var milliseconds: Int
}

/// One of `output list`.
private struct OutputReply: Encodable {
  var name: String
  var type: String
  var enabled: Bool
  var kinds: [String]
  /// None: all.
  var jails: [String]
  var severity: String
}
