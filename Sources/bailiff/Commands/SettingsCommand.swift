import ArgumentParser
import Inspection
import Settings
import System

struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Single settings, for scripts, and the schema for editors.",
    discussion: """
      Examples:
        bailiff settings get jails.sshd.maxretry
        bailiff settings set jails.sshd.maxretry 3
        bailiff settings schema filter
      """,
    subcommands: [SettingsGet.self, SettingsSet.self, SettingsSchema.self])
}

struct SettingsGet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "What is set at a key, in all files of the settings together.",
    discussion: """
      Examples:
        bailiff settings get jails.sshd.maxretry
        bailiff settings get jails.sshd

      One value is printed as it is, a map as YAML. Exits 1 when nothing is set there and the default holds.
      """)

  @Argument(help: "Keys with dots between them.")
  var key: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let settings = EffectiveSettings(path: config.path)
    let entries = settings.entries(at: path)
    guard !entries.isEmpty else {
      throw CommandFailure(.rejected, "\(key) is not set in \(config.path); its default holds (docs/settings.md)")
    }
    var output = Output()
    if format.json {
      for entry in entries { output.json(entry) }
    } else if entries.count == 1, entries[0].path == path {
      output.line(entries[0].text)
    } else {
      output.write(settings.yaml(at: path, comments: false))
    }
    output.flush()
  }
}

struct SettingsSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change one value, in the file that has it; comments stay.",
    discussion: """
      Examples:
        bailiff settings set jails.sshd.maxretry 3
        bailiff settings set ignoreip '[192.0.2.0/24, office.example.org]'
        bailiff settings set jails.web '{filter: http-probe}' --check

      The value is YAML. What would be wrong afterwards is told, and nothing is written. A key that is in none of the files \
      goes into bailiff.yaml. It says nothing when the value is there already, so running it again changes nothing. The \
      daemon reads it with `bailiff reload`.
      """)

  @Argument(help: "Keys with dots between them.")
  var key: String
  @Argument(help: "The value, as YAML.")
  var value: String
  @Flag(help: "Change nothing; print what would change, and exit 1 when something would.")
  var check = false
  @OptionGroup var config: ConfigOptions

  func run() throws {
    let path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let change: SettingsChange?
    do {
      change = try SettingsChange(setting: path, to: value, in: config.path) { config.read(replacing: $0) }
    } catch let errors as SettingsErrors {
      for error in errors.errors { Diagnostics.write(error.description + "\n") }
      throw CommandFailure(.usage, "with this value the settings would be wrong; nothing was changed")
    } catch let error as SettingsError {
      throw CommandFailure(.usage, error.description)
    }
    guard let change else { return }
    var output = Output()
    for line in change.difference { output.line(printable(line)) }
    output.flush()
    if check { throw CommandFailure(.rejected) }
    do { try change.write() } catch { throw CommandFailure(.rejected, "\(change.file) was not written: \(error)") }
  }
}

struct SettingsSchema: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "The JSON schema of bailiff.yaml, of a jail's file or of a filter.",
    discussion: """
      Examples:
        bailiff settings schema
        bailiff settings schema filter > filter.schema.json

      Editors complete and check keys with it; a file says so in its first line:
        # yaml-language-server: $schema=/usr/share/bailiff/settings.schema.json
      """)

  enum Kind: String, ExpressibleByArgument, CaseIterable { case settings, jail, filter }

  @Argument(help: "Of what.")
  var kind: Kind = .settings

  func run() throws {
    var output = Output()
    switch kind {
    case .settings: output.line(JSONSchema.settings)
    case .jail: output.line(JSONSchema.jail)
    case .filter: output.line(JSONSchema.filter)
    }
    output.flush()
  }
}
