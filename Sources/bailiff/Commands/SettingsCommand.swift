import ArgumentParser
import Settings

struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Single settings, for scripts, and the schema for editors.",
    subcommands: [SettingsGet.self, SettingsSchema.self])
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
      throw CommandFailure(.no, "\(key) is not set in \(config.path); its default holds (docs/settings.md)")
    }
    var output = Output()
    if format.json {
      for entry in entries { output.json(entry.members) }
    } else if entries.count == 1, entries[0].path == path {
      output.line(entries[0].text)
    } else {
      output.text(settings.yaml(at: path, comments: false))
    }
    output.flush()
  }
}

struct SettingsSchema: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "The JSON schema of bailiff.yaml, of a jail's file or of a filter.",
    discussion: """
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

extension EffectiveSettings.Entry {
  var members: [(String, JSON)] {
    [
      ("key", .string(path.joined(separator: "."))), ("value", .string(text)), ("file", .string(place.file)),
      ("line", .number(place.line)),
      (
        "overrides",
        .list(
          overridden.map { other in
            .object([
              ("value", .string(other.text)), ("file", .string(other.place.file)), ("line", .number(other.place.line)),
            ])
          })
      ),
    ]
  }
}
