import Detection
import Fail2banImport
import Foundation
import Model
import Settings
import TestSupport
import Testing

struct JailImportTests {
  /// Bailiff's own loader on what the import gives.
  private func load(_ yaml: String) -> Settings.Reading {
    var reading = Settings.read(text: yaml, file: "bailiff.yaml") { path, options in
      try FilterTranslation.loadFilter(path: path, options: options)
    }
    // Whoever has that action has the program; this machine need not.
    reading.errors.removeAll { $0.message == "there is no program `/usr/sbin/sendmail` that can be run" }
    return reading
  }

  /// Stock fail2ban with files of our own beside it.
  private func directory(_ files: [(name: String, fixture: String)]) throws -> TestDirectory {
    let directory = try TestDirectory()
    try directory.linkStock()
    for file in files { try directory.write(file.name, fixture(file.fixture)) }
    return directory
  }

  /// The import's text, with `DIR` for the directory, is just what `name` says.
  private func expect(_ text: String, equals name: String, in directory: TestDirectory) throws {
    let text = text.replacing(directory.path, with: "DIR")
    let expected = try fixture(name)
    #expect(text == expected, "\(name) is not:\n\(text)")
  }

  @Test func overridesOfTheStockJailsComeThrough() throws {
    let directory = try directory([
      ("jail.local", "overrides/jail.local"), ("jail.d/10-first.conf", "overrides/10-first.conf"),
      ("jail.d/20-last.local", "overrides/20-last.local"),
    ])
    let (yaml, notes) = try JailImport.run(directory: directory.path, all: false)
    try expect(yaml, equals: "overrides/bailiff.yaml", in: directory)
    try expect(notes.joined(separator: "\n") + "\n", equals: "overrides/notes.txt", in: directory)
    let reading = load(yaml)
    #expect(reading.errors.isEmpty)
    #expect(reading.settings.jails.map(\.name) == ["sshd", "apache-auth", "postfix", "early", "mine"])
  }

  @Test func whatCannotBeCarriedOverIsSaid() throws {
    let directory = try directory([("jail.local", "import/jail.local"), ("fail2ban.local", "import/fail2ban.local")])
    // The stock action.d is a link; one of our own is beside copies of its links.
    try FileManager.default.removeItem(atPath: directory.path + "/action.d")
    for name in try FileManager.default.contentsOfDirectory(atPath: Reference.directory + "/action.d") {
      try FileManager.default.createDirectory(atPath: directory.path + "/action.d", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: directory.path + "/action.d/" + name, withDestinationPath: Reference.directory + "/action.d/" + name)
    }
    for name in ["own", "hook", "group"] {
      try directory.write("action.d/\(name).conf", fixture("import/\(name).conf"))
    }

    let (yaml, notes) = try JailImport.run(directory: directory.path + "/", all: false)
    try expect(notes.joined(separator: "\n") + "\n", equals: "import/notes.txt", in: directory)
    try expect(yaml, equals: "import/bailiff.yaml", in: directory)
    let reading = load(yaml)
    #expect(reading.errors.isEmpty)

    let forever = try #require(reading.settings.jails.first { $0.name == "forever" })
    #expect(forever.limits.bantime == nil)
    #expect(
      forever.limits.increment
        == BanIncrement(
          coefficient: 0.5, multipliers: [1, 5, 30], rndtime: TimeSpan(seconds: 30), overalljails: true))
    #expect(forever.logpath == ["/srv/one.log", "/srv/two*.log", "/srv/three.log"])
    // The same action of two jails is one output.
    let told = reading.settings.outputs.map { "\($0.name) \($0.destination.type) \($0.jails.sorted())" }
    #expect(
      told.contains("abuseipdb abuse [\"told\", \"told-too\"]") && told.contains("abuseipdb-2 abuse [\"told-too\"]"))
    #expect(told.contains("hook webhook [\"told\", \"told-too\"]") && told.contains("cloudflare-token edge [\"told\"]"))
    let recidive = try #require(reading.settings.jails.first { $0.name == "recidive" })
    #expect(recidive.source == .bans)
    #expect(recidive.limits.findtime == TimeSpan(seconds: 86_400))
  }

  @Test func aDirectoryWithoutJailsIsAnError() throws {
    let directory = try TestDirectory()
    let error = try #require(throws: ConfigurationError.self) {
      try JailImport.run(directory: directory.path, all: false)
    }
    #expect(error.description == "\(directory.path)/jail.conf: there is no such file; check the name")
  }
}

/// What is written so that fail2ban takes it for something else is named, never silently left out.
struct JailImportSpellingTests {
  private func run(_ jails: String, local: String = "") throws -> (yaml: String, notes: [String]) {
    let directory = try TestDirectory()
    try directory.write("filter.d/f.conf", "[Definition]\nfailregex = ^no <HOST>$\n")
    try directory.write(
      "jail.conf", "[DEFAULT]\nbackend = polling\naction = iptables-allports[name=x]\nfilter = f\n" + jails)
    if !local.isEmpty { try directory.write("jail.local", local) }
    let (yaml, notes) = try JailImport.run(directory: directory.path, all: false)
    return (yaml, notes.map { $0.replacing(directory.path + "/", with: "") })
  }

  @Test func commentsBehindValues() throws {
    let (yaml, notes) = try run(
      "[a]\nenabled = true # yes\nlogpath = /a.log\n[b]\nenabled = true\nlogpath = /b.log\nbantime = 1d   # a day\n")
    #expect(!yaml.contains("  a:") && yaml.contains("bantime: 1d"), "\(yaml)")
    #expect(
      notes == [
        "jail.conf:6: [a] enabled: `true # yes` is neither yes nor no, and fail2ban takes it for no; "
          + "write `true` or `false`; a comment behind a value begins with ` ;`"
      ])
  }

  @Test func namesInSmallLetters() throws {
    let (_, notes) = try run(
      "[a]\nenabled = true\nlogpath = /a.log\n", local: "[default]\nignoreip = 192.0.2.0/24\n[A]\nmaxretry = 3\n")
    #expect(
      notes == [
        "jail.local:2: [default] is not [DEFAULT] (names are case-sensitive); what it says holds for nobody; "
          + "write [DEFAULT]",
        "jail.local:4: [A] is not [a] (names are case-sensitive); if [a] is meant, write it so",
      ])
  }

  @Test func encodings() throws {
    let (yaml, notes) = try run(
      "[a]\nenabled = true\nlogpath = /a.log\nlogencoding = ISO-8859-15\n"
        + "[b]\nenabled = true\nlogpath = /b.log\nlogencoding = koi8-r\n")
    #expect(yaml.contains("logencoding: ISO-8859-15") && !yaml.contains("  b:"), "\(yaml)")
    #expect(
      notes == [
        "jail.conf:12: [b] logencoding: `koi8-r` is not supported; the jail is left out; "
          + "use utf-8, ascii, latin-1, iso-8859-15 or windows-1252"
      ])
  }

  @Test func jailsOnFail2bansOwnLog() throws {
    let (yaml, notes) = try run(
      "[blacklist]\nenabled = true\nlogpath = /var/log/fail2ban.log\nfindtime = 30d\nmaxretry = 3\n")
    #expect(yaml.contains("  blacklist:\n    source: bans\n"), "\(yaml)")
    #expect(
      notes == [
        "jail.conf:7: [blacklist] logpath: nobody writes fail2ban's own log any more; the jail counts Bailiff's own bans "
          + "(`source: bans`) instead; its filter is not used"
      ])
  }

  /// Rotated ones too; and what reads another log beside it goes on with that.
  @Test func jailsOnFail2bansOwnLogs() throws {
    let (yaml, notes) = try run(
      "[a]\nenabled = true\nlogpath = /var/log/fail2ban.log*\n"
        + "[b]\nenabled = true\nlogpath = /var/log/fail2ban.log\n  /b.log\n"
        + "[c]\nenabled = true\nbackend = systemd\njournalmatch = _SYSTEMD_UNIT=fail2ban.service PRIORITY=5\n")
    for name in ["a", "c"] { #expect(yaml.contains("  \(name):\n    source: bans\n"), "\(yaml)") }
    #expect(yaml.contains("- /b.log\n") && !yaml.contains("fail2ban.log"), "\(yaml)")
    #expect(
      notes.count == 3 && notes.allSatisfy { $0.contains("nobody writes fail2ban's own log any more") }, "\(notes)")
  }

  /// Abbreviations are fixed offsets to fail2ban. BST, of several meanings, it does not know.
  @Test(arguments: [
    "CEST": "UTC+0200", "EDT": "UTC-0400", "PDT": "UTC-0700", "MSK": "UTC+0300", "CET": "UTC+0100", "NST": "UTC-0330",
    "Europe/Berlin": "Europe/Berlin", "UTC+0200": "UTC+0200",
  ]) func zones(name: String, expected: String) throws {
    let (yaml, notes) = try run("[a]\nenabled = true\nlogpath = /a.log\nlogtimezone = \(name)\n")
    #expect(yaml.contains("    logtimezone: \(expected)\n"), "\(yaml)")
    #expect(notes == [])
    let (without, said) = try run("[a]\nenabled = true\nlogpath = /a.log\nlogtimezone = BST\n")
    #expect(!without.contains("  a:") && said.contains { $0.contains("`BST`") }, "\(without) \(said)")
  }
}
