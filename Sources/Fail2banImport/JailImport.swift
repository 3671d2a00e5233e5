import Filters
import FoundationEssentials
import Settings
import System

/// Turns fail2ban's jails into Bailiff's settings, which refer to the filter files where they are.
///
///     let (yaml, notes) = try JailImport.run(directory: "/etc/fail2ban", all: false)
public enum JailImport {
  /// - Parameters:
  ///   - directory: where `jail.conf` and `filter.d` are.
  ///   - all: jails that are not enabled as well; they stay disabled.
  ///   - copy: a directory to copy fail2ban's filters to, which the settings then name; nil: they name them where they are.
  ///   - natives: the names of Bailiff's own filters, which comments offer beside fail2ban's of the same service; nil: no advice.
  /// - Returns: the text of a `bailiff.yaml`, and what could not be carried over, one line each: file, jail, option,
  ///   and what to do instead. A jail that cannot be read becomes such a line; the others are there.
  /// - Throws: `ConfigurationError` where `jail.conf` itself cannot be read; `SystemError` where filters cannot be copied.
  public static func run(
    directory: String, all: Bool, copyingFiltersTo copy: String? = nil, natives: Set<String>? = nil
  ) throws -> (yaml: String, notes: [String]) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    let reader = try JailReader(directory: directory)
    if let copy { try copyFilters(of: directory, to: copy) }
    var notes = Notes()
    var jails: [ImportedJail] = []
    noteCase(of: reader, &notes)
    for name in reader.names {
      for option in ["enabled", "bantime.increment", "bantime.overalljails", "ignoreself"] {
        guard let error = reader.noTruthValue(option, of: name) else { continue }
        notes.add(error, "write `true` or `false`; a comment behind a value begins with ` ;`")
      }
      do {
        let isEnabled = try reader.isEnabled(name)
        guard isEnabled || all else { continue }
        var translation = JailTranslation(try reader.read(name), reader)
        if var jail = try translation.jail(isEnabled: isEnabled) {
          if let copy { jail.filter = copied(jail.filter, from: directory, to: copy) }
          jails.append(jail)
        }
        notes.merge(translation.notes)
      } catch {
        notes.add(error, error.section == name ? "the jail is left out" : "the jail \(name) is left out")
      }
    }
    serverSettings(directory, &notes)
    var yaml = ""
    // Bailiff's own loader has the last word: a jail that it refuses is left out.
    while true {
      let settings = ImportedSettings(jails, reader, &notes)
      yaml = settings.yaml(directory: directory, copy: copy, natives: natives)
      guard removeRefused(yaml, settings, &jails, reader, &notes) else { break }
    }
    return (yaml, notes.lines)
  }

  /// Those that jails do not name may be what others include.
  private static func copyFilters(of directory: String, to copy: String) throws(SystemError) {
    try Directory.make(copy)
    for name in try Directory.names("\(directory)/filter.d") where name.hasSuffix(".conf") || name.hasSuffix(".local") {
      try SmallFile.replace("\(copy)/\(name)", with: SmallFile.read("\(directory)/filter.d/\(name)"))
    }
  }

  private static func copied(_ filter: String, from directory: String, to copy: String) -> String {
    let place = "\(directory)/filter.d/"
    return filter.hasPrefix(place) ? "\(copy)/\(filter.dropFirst(place.count))" : filter
  }

  /// Names of sections that are written another way than the one that is meant.
  private static func noteCase(of reader: JailReader, _ notes: inout Notes) {
    var known: [String: String] = [:]
    for name in [Configuration.defaultSection, "INCLUDES"] + reader.names {
      guard let meant = known[name.lowercased()] else {
        known[name.lowercased()] = name
        continue
      }
      notes.add(
        reader.error(name, nil, "is not [\(meant)] (names are case-sensitive)"),
        meant == Configuration.defaultSection
          ? "what it says holds for nobody; write [\(meant)]" : "if [\(meant)] is meant, write it so")
    }
  }

  /// True where a jail or an output was removed.
  private static func removeRefused(
    _ yaml: String, _ settings: ImportedSettings, _ jails: inout [ImportedJail], _ reader: JailReader,
    _ notes: inout Notes
  ) -> Bool {
    let reading = Settings.read(text: yaml, file: "bailiff.yaml") { path, options in
      try FilterTranslation.loadFilter(path: path, options: options)
    }
    let count = jails.count
    for error in reading.errors {
      guard let name = error.jail, jails.contains(where: { $0.name == name }) else { continue }
      notes.add(reader.error(name, nil, "\(error.message), \(error.remedy)"), "the jail is left out")
    }
    let refused = Set(reading.errors.compactMap(\.jail))
    jails.removeAll { refused.contains($0.name) }
    var isChanged = jails.count < count
    // A program that is not on this machine may be on the one that the settings are for.
    for error in reading.errors where !error.message.hasPrefix("there is no program") {
      guard let refused = error.output else { continue }
      for (name, output) in settings.origins(ofOutput: refused) {
        guard let index = jails.firstIndex(where: { $0.name == name }) else { continue }
        notes.add(
          reader.error(name, "action", "`\(output.name)` is left out: \(error.message)"), error.remedy)
        // Its name may have got a number since.
        let values = output.keys.map(\.value)
        jails[index].outputs.removeAll { $0.keys.map(\.value) == values }
        isChanged = true
      }
    }
    return isChanged
  }

  /// What fail2ban.conf says about the server itself, where somebody changed it.
  private static func serverSettings(_ directory: String, _ notes: inout Notes) {
    guard let server = try? Configuration(base: directory + "/fail2ban") else { return }
    let instead = [
      "loglevel": "Bailiff logs to standard error, which systemd keeps in the journal",
      "logtarget": "Bailiff logs to standard error, which systemd keeps in the journal",
      "syslogsocket": "Bailiff logs to standard error, which systemd keeps in the journal",
      "socket": "set `socket`", "pidfile": "there is none; systemd knows the process", "dbfile": "set `state`",
      "dbpurgeage": "set `retention`", "dbmaxmatches": "not needed; the audit keeps every line",
      "allowipv6": "IPv6 is always on",
    ]
    for section in [Configuration.defaultSection, "Definition"] {
      guard let options = server.options(in: section) else { continue }
      for name in options.keys {
        guard let option = options[name], option.file != directory + "/fail2ban.conf", let remedy = instead[name] else {
          continue
        }
        notes.add(
          ConfigurationError(
            file: option.file, line: option.line, section: section, option: name, reason: "is not carried over"), remedy
        )
      }
    }
  }
}

/// What could not be carried over.
struct Notes {
  var lines: [String] = []

  /// `file:line: [jail] option: reason; remedy`, on one line.
  mutating func add(_ error: ConfigurationError, _ remedy: String) {
    let text = "\(error.description); \(remedy)"
    let line = String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    if !lines.contains(line) { lines.append(line) }
  }

  mutating func merge(_ other: Notes) {
    for line in other.lines where !lines.contains(line) { lines.append(line) }
  }
}
