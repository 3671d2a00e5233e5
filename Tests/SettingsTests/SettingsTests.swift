import Detection
import Filters
import Foundation
import Model
import TestSupport
import Testing

@testable import Settings

struct SettingsTests {
  @Test func emptyFileHasTheDefaults() {
    let reading = FixtureTests.read("empty.bad.yml")
    var expected = Settings(file: "\(FixtureTests.directory)/empty.bad.yml")
    #expect(reading.settings == expected)
    expected.state = "/srv/"
    #expect(expected.database == "/srv/bailiff.db")
  }

  @Test func everyKey() throws {
    let reading = FixtureTests.read("full.good.yml")
    let settings = reading.settings
    #expect(settings.state == "/srv/bailiff")
    #expect(settings.database == "/srv/bailiff/bailiff.db")
    #expect(settings.socket == "/run/bailiff/api.sock")
    #expect(settings.group == "daemon")
    #expect(settings.filters == ["/etc/bailiff/filters"])
    #expect(settings.firewall == FirewallSettings(backend: .dryRun, chains: ["INPUT", "DOCKER-USER"]))
    #expect(
      settings.ignoreip == [
        .subnet(Subnet("127.0.0.0/8")!), .subnet(Subnet("::1")!), .subnet(Subnet("192.0.2.0/24")!),
        .name("office.example.org"),
      ])
    #expect(!settings.ignoreself && settings.protectSessions == .none)
    #expect(settings.onFull == .shed)
    #expect(settings.bansPerMinuteWarning == 50)
    #expect(settings.retention == Retention(failures: .hours(720), bans: nil, size: 500 << 20))
    #expect(settings.jails.map(\.name) == ["sshd", "nginx-probe", "off", "recidive", "piped"])
    #expect(settings.defaults.maxretry == 4 && settings.defaults.bantime == .hours(1))

    let sshd = settings.jails[0]
    #expect(sshd.ports == Ports(ranges: [22...22, 2222...2222, 6000...6010]))
    #expect("\(sshd.ports)" == "22,2222,6000:6010")
    #expect(sshd.protocols == [.tcp, .udp])
    #expect(sshd.backend == .both)
    #expect(sshd.logpath == ["/var/log/auth.log", "/var/log/secure*"])
    #expect(sshd.journalmatch == ["_SYSTEMD_UNIT=ssh.service _COMM=sshd + _COMM=sshd-session"])
    #expect(sshd.filter == .native("sshd"))
    #expect(sshd.usedns == .no && sshd.timezone == "Europe/Berlin")
    #expect(sshd.place.line == 22 && sshd.place.column == 3)
    let ignored = ["127.0.0.0/8", "::1", "192.0.2.0/24", "198.51.100.7"].map { Subnet($0)! }
    #expect(
      sshd.limits
        == Jail(
          name: "sshd", maxretry: 3, findtime: .minutes(5), bantime: nil,
          increment: BanIncrement(
            factor: 1.5, coefficient: 2, multipliers: [1, 5, 30], maxtime: .hours(168), rndtime: .minutes(10),
            overalljails: true),
          ipv4Prefix: 32, ipv6Prefix: 64, ignore: IgnoreList(ignored)))
    #expect(sshd.ignoreip.contains(.name("office.example.org")))

    // What `nginx-probe` does not say comes from `defaults`, before what its filter recommends.
    let probe = settings.jails[1]
    #expect(probe.limits.maxretry == 4 && probe.limits.findtime == .minutes(20))
    #expect(probe.limits.increment == nil && probe.limits.ipv4Prefix == 24)
    #expect(probe.ports == Ports(ranges: [80...80, 443...443]))
    #expect(probe.usedns == .warn && probe.timezone == "UTC")
    #expect(!settings.jails[2].enabled)
    let recidive = settings.jails[3]
    #expect(recidive.source == .bans && recidive.definition == nil && recidive.ports == .all)
    #expect(recidive.limits.increment == BanIncrement())
    #expect(settings.jails[4].source == .stdin && settings.jails[4].definition?.name == "sshd")
  }

  @Test func limitsWithoutDefaults() {
    let jails = FixtureTests.read("aliases.good.yml").settings.jails
    // Built in, and the filter's recommendation.
    #expect(jails[0].limits.maxretry == 5 && jails[0].limits.findtime == .minutes(10))
    #expect(jails[1].limits.maxretry == 20 && jails[1].limits.findtime == .minutes(1))
    #expect(jails[1].limits.bantime == .minutes(10))
    #expect(jails[0].ignoreip == jails[1].ignoreip && jails[0].ignoreip.count == 2)
    #expect(jails[2].name == "again" && jails[2].limits.ignore == jails[0].limits.ignore)
  }

  @Test func presets() {
    let jails = FixtureTests.read("presets.good.yml").settings.jails
    let limits = jails.map { [Int64($0.limits.maxretry), $0.limits.findtime.seconds, $0.limits.bantime!.seconds] }
    #expect(limits == [[3, 600, 3600], [5, 10, 600], [150, 60, 600]])
  }

  @Test func jailsInErrorAreLeftOutAndNamed() {
    let reading = FixtureTests.read("filters.bad.yml")
    #expect(reading.settings.jails.isEmpty)
    #expect(reading.brokenJails == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"])
    #expect(reading.generalErrors.isEmpty)
    #expect(reading.errors.first?.jail == "a")
    // `filters` names a directory that is there and one that is not.
    #expect(reading.warnings.filter { $0.jail == nil }.map(\.place.column) == [20])
  }

  @Test func loadThrowsEverything() {
    #expect(throws: SettingsErrors.self) { try Settings.load(path: "\(FixtureTests.directory)/times.bad.yml") }
    #expect(throws: Never.self) { try Settings.load(path: "\(FixtureTests.directory)/bans-only.good.yml") }
  }

  @Test func sourcesByBackend() {
    let syslog = ["/var/log/syslog"]
    var jail = JailSettings(name: "a", logpath: syslog, journalmatch: ["_COMM=a"], limits: Jail(name: "a"))
    func read(_ journal: Bool) -> [[String]] {
      let sources = jail.sources(on: Settings.Machine(hasFile: { _ in false }, hasJournal: journal))
      return [sources.files, sources.journal] + (sources.isJournalInstead ? [["instead"]] : [])
    }
    // The same lines are in both.
    #expect(read(true) == [[], ["_COMM=a"]])
    #expect(read(false) == [syslog, ["_COMM=a"], ["instead"]])
    // The service's own log.
    jail.logpath = ["/f"]
    #expect(read(true) == [["/f"], ["_COMM=a"], ["instead"]])
    jail.backend = .both
    #expect(read(true) == [["/f"], ["_COMM=a"]])
    jail.backend = .files
    #expect(read(true) == [["/f"], []])
    jail.backend = .journal
    #expect(read(false) == [[], ["_COMM=a"]])
    jail.backend = .auto
    jail.logpath = []
    #expect(read(false) == [[], ["_COMM=a"]])
    jail.logpath = ["/f"]
    jail.journalmatch = []
    #expect(read(true) == [["/f"], []])
    jail.source = .bans
    #expect(read(true) == [[], []])
  }

  /// On a machine with a journal these once watched it, where their services write nothing.
  @Test(arguments: [
    "nginx-error", "nginx-http-auth", "apache-auth", "apache-error", "exim", "proftpd", "vsftpd", "modsecurity",
    "mariadb",
    "postgresql", "samba", "squid",
  ])
  func servicesThatWriteFilesAreReadFromFiles(filter: String) throws {
    let definition = try FilterFile.load(path: "\(DocumentationTests.root.path)/filters/\(filter).yaml")
    let jail = JailSettings(
      name: "a", definition: definition, logpath: definition.logpath, journalmatch: definition.journalmatch,
      limits: Jail(name: "a"))
    let sources = jail.sources(on: Settings.Machine(hasFile: { _ in true }, hasJournal: true))
    #expect(sources.files == definition.logpath && (sources.isJournalInstead || sources.journal.isEmpty))
  }

  @Test(arguments: ["sshd", "postfix", "pam", "dropbear", "courier"])
  func servicesThatWriteThroughSyslogAreReadFromTheJournal(filter: String) throws {
    let definition = try FilterFile.load(path: "\(DocumentationTests.root.path)/filters/\(filter).yaml")
    var jail = JailSettings(
      name: "a", definition: definition, logpath: definition.logpath, journalmatch: definition.journalmatch,
      limits: Jail(name: "a"))
    let machine = Settings.Machine(hasFile: { _ in true }, hasJournal: true)
    #expect(jail.sources(on: machine) == LogChoice(journal: definition.journalmatch))
    // Dovecot writes a file of its own instead, where it is told to.
    jail.definition = try FilterFile.load(path: "\(DocumentationTests.root.path)/filters/dovecot.yaml")
    jail.logpath = jail.definition!.logpath
    #expect(jail.sources(on: machine).files == ["/var/log/dovecot.log"])
  }

  @Test func aJailsOwnSourceReplacesTheFilters() {
    let text = """
      jails:
        file: {filter: sshd, logpath: /tmp/x}
        journal: {filter: sshd, journalmatch: _COMM=x}
        filter: {filter: sshd}
      """
    let jails = read(text).settings.jails
    #expect(jails.map(\.logpath) == [["/tmp/x"], [], ["/var/log/auth.log"]])
    #expect(jails.map(\.journalmatch) == [[], ["_COMM=x"], ["_SYSTEMD_UNIT=ssh.service", "_COMM=sshd"]])
  }

  @Test func filesThatAreNotThereAreAWarning() {
    let text = "jails: {a: {filter: sshd, logpath: /nonexistent/x.log}, b: {filter: sshd, logpath: /etc/pass*}}"
    let reading = read(text)
    #expect(reading.errors.isEmpty)
    #expect(reading.warnings.count == 1 && reading.warnings[0].message.contains("/nonexistent/x.log"))
  }

  @Test func ignoreLists() {
    let list = "\(FixtureTests.directory)/lists"
    #expect(IgnoreFile.read("\(list)/office.txt").errors.isEmpty)
    #expect(
      IgnoreFile.read("\(list)/office.txt").entries.map(\.description) == [
        "192.0.2.0/28", "2001:db8:1::/48", "vpn.example.org",
      ])
    let reading = read("ignoreip: [file:\(list)/broken.txt]\njails: {a: {filter: sshd}}")
    #expect(reading.settings.ignoreip == [.file("\(list)/broken.txt")])
    #expect(reading.errors.map { [$0.place.line, $0.place.column] } == [[2, 1], [3, 1]])
    #expect(reading.errors.allSatisfy { $0.place.file.hasSuffix("broken.txt") && $0.jail == nil })
  }

  @Test func missingFile() {
    let reading = Settings.read(path: "/nonexistent/bailiff.yaml", builtin: [])
    #expect(
      reading.errors.map(\.description)
        == ["/nonexistent/bailiff.yaml: cannot be read: no such file or directory; check the path"])
    #expect(Settings.read(path: "/", builtin: []).errors.map(\.description) == ["/: is a directory; name a file"])
    #expect(Settings.read(path: "/dev/zero", builtin: []).errors.count == 1)
  }

  /// Reads a text as a file of its own, with the filters of the fixtures.
  private func read(_ text: String) -> Settings.Reading {
    readText(text)
  }

  @Test func limitsOfConnectionsAreReadAndChecked() {
    func read(_ keys: String) -> Settings.Reading {
      Settings.read(text: "firewall: {syn_limit: {\(keys)}}\njails: {a: {source: bans}}", file: "bailiff.yaml")
    }
    let short = read("rate: 30/s").settings.firewall.synLimit
    #expect(short == SynLimitSettings(rate: 30, unit: .second, burst: 60, scope: .address))
    let long = read("rate: 100/m, burst: 7, per: all, log_prefix: 'PORTSCAN_BLOCKED: '").settings.firewall.synLimit
    #expect(
      long
        == SynLimitSettings(rate: 100, unit: .minute, burst: 7, scope: .all, logPrefix: "PORTSCAN_BLOCKED: "))
    for wrong in [
      "burst: 3", "rate: 30", "rate: 0/s", "rate: 30/d", "rate: 30/s, burst: 20000", "rate: 30/s, per: port",
      "rate: 30/s, log_prefix: ''", "rate: 30/s, log_prefix: 'a\"b'",
      "rate: 30/s, log_prefix: 'this is longer than iptables takes'",
    ] {
      let errors = read(wrong).errors
      #expect(errors.count == 1 && errors[0].place.line == 1, "\(wrong): \(errors.map(\.description))")
    }
  }

  @Test func staticRulesAreReadAndChecked() {
    func read(_ rules: String, lists: String = "{office: {path: /tmp/office}}") -> Settings.Reading {
      Settings.read(text: "firewall: {\(rules)}\nlists: \(lists)\njails: {a: {source: bans}}", file: "bailiff.yaml")
    }
    let good = read(
      "block: [{from: [192.0.2.0/24], port: [25], protocol: tcp}], allow_only: [{port: [ssh], from: ['list:office', '2001:db8::/32']}, {port: [80, 8000-8080]}]"
    )
    #expect(
      good.settings.firewall.staticRules == [
        StaticRuleSettings(
          .block, ports: Ports(ranges: [25...25]), protocols: [.tcp], subnets: [Subnet("192.0.2.0/24")!]),
        StaticRuleSettings(
          .allowOnly, ports: Ports(ranges: [22...22]), subnets: [Subnet("2001:db8::/32")!], lists: ["office"]),
        StaticRuleSettings(.allowOnly, ports: Ports(ranges: [80...80, 8000...8080])),
      ], "\(good.errors.map(\.description))")
    for wrong in [
      "block: [{port: [25]}]", "block: [{from: [0.0.0.0/0]}]", "block: [{from: []}]", "block: [{from: [nobody]}]",
      "block: [{from: ['list:none']}]", "allow_only: []", "allow_only: [{}]", "allow_only: [{port: []}]",
      "allow_only: [{port: [ssh], form: [192.0.2.1]}]", "allow_only: [{port: [no-such]}]",
    ] {
      let errors = read(wrong).errors
      #expect(errors.count == 1 && errors[0].place.line == 1, "\(wrong): \(errors.map(\.description))")
    }
    let disabled = read("block: [{from: ['list:office']}]", lists: "{office: {path: /tmp/office, enabled: false}}")
      .errors
    #expect(disabled.count == 1 && disabled[0].description.contains("no list `office` that is enabled"), "\(disabled)")
  }

  /// Countries and networks, as lists and in rules; each is looked up in the database that knows it.
  @Test func placesAreReadAndChecked() throws {
    func read(_ text: String, files: Set<String> = []) -> Settings.Reading {
      Settings.read(
        text: text + "\njails: {a: {source: bans}}", file: "bailiff.yaml",
        machine: Settings.Machine(hasFile: { files.contains($0) }, hasJournal: true))
    }
    let geo = "geo: {country: /c.mmdb, network: /n.mmdb}\n"
    let good = read(
      geo
        + "lists: {far: {countries: [xx, NO], block: reject}, net: {networks: [64496, AS64497], database: /o.mmdb, allow: true}, home: {countries: DE, rules_only: true}}\n"
        + "firewall: {allow_only: [{port: [ssh], from: ['list:home', 'country:se', 'network:AS64498']}], block: [{from: ['country:SE']}]}",
      files: ["/c.mmdb", "/n.mmdb"])
    #expect(good.errors.isEmpty && good.warnings.isEmpty, "\(good.errors.map(\.description)) \(good.warnings)")
    let lists = good.settings.lists
    #expect(lists.map(\.name) == ["far", "net", "home", "country:SE", "network:64498"])
    #expect(lists.map(\.isForRules) == [false, false, true, true, true])
    #expect(
      lists.map(\.source) == [
        .places(.init(countries: ["XX", "NO"], countryDatabase: "/c.mmdb")),
        .places(.init(networks: [64496, 64497], networkDatabase: "/o.mmdb")),
        .places(.init(countries: ["DE"], countryDatabase: "/c.mmdb")),
        .places(.init(countries: ["SE"], countryDatabase: "/c.mmdb")),
        .places(.init(networks: [64498], networkDatabase: "/n.mmdb")),
      ])
    #expect(
      good.settings.firewall.staticRules.map(\.lists) == [["country:SE"], ["home", "country:SE", "network:64498"]])
    // Files in the usual places need no word, and may be refused.
    let usual = "/usr/share/GeoIP/GeoLite2-Country.mmdb"
    #expect(read("", files: [usual]).settings.geo == GeoSettings(country: usual))
    #expect(read("geo: {country: off}", files: [usual]).settings.geo == GeoSettings())
    #expect(read("geo: {country: /gone.mmdb}").warnings.map(\.description).joined().contains("there is no file"))
    for (wrong, word) in [
      ("lists: {b: {countries: [DE]}}", "no database"), ("lists: {b: {networks: [64496]}}", "no database"),
      (geo + "lists: {b: {countries: [DEU]}}", "is no code of a country"),
      (geo + "lists: {b: {networks: [AS]}}", "is no number of a network"),
      (geo + "lists: {b: {countries: []}}", "`countries` is empty"),
      (geo + "lists: {b: {countries: [DE], url: 'https://example.org/'}}", "of no meaning beside"),
      (geo + "lists: {b: {path: /tmp/b, database: /c.mmdb}}", "of no meaning without"),
      (geo + "lists: {b: {countries: [DE], rules_only: true, allow: true}}", "that rules alone use"),
      (geo + "firewall: {block: [{from: ['country:DEU']}]}", "names no country"),
      (geo + "firewall: {block: [{from: ['network:x']}]}", "names no network"),
      ("firewall: {block: [{from: ['country:DE']}]}", "no database"),
      ("geo: {country: c.mmdb}", "no absolute path"),
    ] {
      let errors = read(wrong, files: ["/c.mmdb", "/n.mmdb"]).errors
      #expect(
        errors.count == 1 && errors.first?.description.contains(word) == true, "\(wrong): \(errors.map(\.description))")
    }
  }

  @Test func crowdSecIsAList() throws {
    func read(_ keys: String) -> Settings.Reading {
      Settings.read(text: "jails: {a: {source: bans}}\nlists: {c: {type: crowdsec, \(keys)}}", file: "bailiff.yaml")
    }
    let good = read("url: 'http://127.0.0.1:8080', key: 0123456789abcdef")
    #expect(good.errors.isEmpty && good.warnings.isEmpty, "\(good.errors.map(\.description)) \(good.warnings)")
    let list = try #require(good.settings.lists.first)
    #expect(
      list.source == .crowdSec(url: "http://127.0.0.1:8080", key: .text("0123456789abcdef"), authority: nil))
    #expect(list.refresh == .minutes(1) && list.isFetched)
    #expect(!good.settings.values.yaml().contains("0123456789abcdef"), "a key is never shown")
    for (wrong, word) in [
      ("url: 'http://127.0.0.1:8080'", "has no `key`"), ("key: a", "has no `url`"),
      ("url: here, key: a", "no URL of http"), ("url: 'http://127.0.0.1:8080', key: a, allow: true", "no meaning"),
      ("url: 'http://127.0.0.1:8080', key: {file: /none}", "/none"),
    ] {
      let errors = read(wrong).errors
      #expect(errors.count == 1 && errors.first?.description.contains(word) == true, "\(wrong): \(errors)")
    }
    let plain = Settings.read(text: "lists: {c: {path: /tmp/a, key: a}}", file: "bailiff.yaml").errors
    #expect(plain.contains { $0.description.contains("`key` is of no meaning") })
  }

  @Test func escalationIsReadAndChecked() throws {
    let jail = "jails: {a: {source: bans, "
    func read(_ keys: String) -> Settings.Reading { Settings.read(text: jail + keys + "}}", file: "bailiff.yaml") }
    #expect(read("escalate: true").settings.jails[0].limits.escalation == Escalation())
    #expect(read("escalate: false").settings.jails[0].limits.escalation == nil)
    let told = read("escalate: {ipv4: 20, ipv6: 40, after: 9, within: 2h}").settings.jails[0].limits.escalation
    #expect(told == Escalation(ipv4Prefix: 20, ipv6Prefix: 40, after: 9, within: .hours(2)))
    let wide = read("prefix: {ipv4: 24}, escalate: true").errors.map(\.description)
    #expect(
      wide.count == 1 && wide[0].contains("bailiff.yaml:1:47: `escalate` bans ipv4 /24, which is no wider"), "\(wide)")
    #expect(read("escalate: {after: 1}").errors.count == 1)
    #expect(read("escalate: {aftr: 3}").errors[0].description.contains("did you mean `after`?"))
    let defaults = Settings.read(text: "defaults: {escalate: true}\njails: {a: {source: bans}}", file: "bailiff.yaml")
    #expect(defaults.settings.jails[0].limits.escalation == Escalation())
  }
}

/// Writes `text` to a temporary file and reads it.
func readText(_ text: String, fail2banFilter: Fail2banFilterLoader? = nil) -> Settings.Reading {
  guard let directory = try? TestDirectory("settings"), let path = try? directory.write("bailiff.yaml", text) else {
    fatalError("the temporary directory takes no file")
  }
  return Settings.read(
    path: path, fail2banFilter: fail2banFilter, builtin: ["\(FixtureTests.directory)/filters"])
}
