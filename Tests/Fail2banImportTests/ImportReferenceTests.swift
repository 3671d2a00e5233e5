import Detection
import Fail2banImport
import Filters
import Foundation
import Model
import Settings
import TestSupport
import Testing

/// From jail.conf to Bailiff's settings and on to the rules that run: compared with the commands that fail2ban's client
/// would send to its server for the same jails.
struct ImportReferenceTests {
  struct Commands: Decodable {
    var failregex: [String]
    var ignoreregex: [String]
    var prefregex: String?
    var datepattern: String?
    var maxlines: Int?
    var usedns: String
    var logencoding: String
    var logtimezone: String?
    var journalmatch: [[String]]
    var maxretry: Int
    var findtime: Double
    var bantime: Double
    var ignoreip: [String]
    var backend: String
  }

  static let script = """
    import json, sys
    from fail2ban.client.jailsreader import JailsReader
    from fail2ban.server.mytime import MyTime
    reader = JailsReader(force_enable=True, basedir=sys.argv[1])
    assert reader.read()
    assert reader.getOptions(ignoreWrong=False)
    jails = {}
    for jail in reader.jails:
        j = {'failregex': [], 'ignoreregex': [], 'journalmatch': [], 'ignoreip': []}
        for command in jail.convert(allow_no_files=True):
            if command[0] == 'add':
                j['backend'] = command[2]
            if command[0] not in ('set', 'multi-set') or command[2] in ('addaction', 'action', 'addlogpath'):
                continue
            name, values = command[2], command[3:]
            if name in ('addfailregex', 'addignoreregex'):
                j[name[3:]] += values[0] if command[0] == 'multi-set' else values
            elif name == 'addjournalmatch':
                j['journalmatch'].append(values)
            elif name == 'addignoreip':
                j['ignoreip'] += values
            elif name in ('findtime', 'bantime'):
                j[name] = MyTime.str2seconds(values[0])
            else:
                j[name] = values[0]
        jails[jail.getName()] = j
    json.dump(jails, sys.stdout)
    """

  private func compare(_ directory: String) throws -> Int {
    let expected = try JSONDecoder().decode([String: Commands].self, from: Reference.python(Self.script, [directory]))
    let (yaml, _) = try JailImport.run(directory: directory, all: true)
    let reading = Settings.read(text: yaml, file: "bailiff.yaml") { path, options in
      try FilterTranslation.loadFilter(path: path, options: options)
    }
    // Mail by sendmail, which this machine may not have, though the one may that the settings are for.
    #expect(reading.errors.filter { !$0.message.hasPrefix("there is no program `/usr/sbin/sendmail`") }.isEmpty)
    let jails = Dictionary(uniqueKeysWithValues: reading.settings.jails.map { ($0.name, $0) })
    // One lets addresses in; the other reads Bailiff's bans instead of fail2ban's log.
    #expect(Set(expected.keys).subtracting(jails.keys) == ["pass2allow-ftp"])
    var equal = 0
    for (name, commands) in expected {
      guard let jail = jails[name], jail.source == .logs else { continue }
      guard case .fail2ban(let rules)? = jail.definition?.rules else {
        Issue.record("\(name) has no fail2ban filter")
        continue
      }
      #expect(rules.failregex == commands.failregex, "\(name)")
      #expect(rules.ignoreregex == commands.ignoreregex, "\(name)")
      #expect(rules.prefregex == commands.prefregex, "\(name)")
      #expect(rules.datepattern == commands.datepattern.flatMap { $0.isEmpty ? nil : $0 }, "\(name)")
      #expect(rules.maxlines == commands.maxlines ?? 1, "\(name)")
      #expect(rules.usedns.rawValue == commands.usedns, "\(name)")
      #expect(rules.logencoding == commands.logencoding, "\(name)")
      #expect(rules.logtimezone == commands.logtimezone, "\(name)")
      #expect(jail.limits.maxretry == commands.maxretry, "\(name)")
      #expect(jail.limits.findtime == TimeSpan(microseconds: Int64(commands.findtime * 1e6)), "\(name)")
      let permanent = commands.bantime < 0
      #expect(
        jail.limits.bantime == (permanent ? nil : TimeSpan(microseconds: Int64(commands.bantime * 1e6))), "\(name)")
      #expect(jail.ignoreip.map(\.description) == commands.ignoreip.map(canonical), "\(name)")
      if commands.backend.hasPrefix("systemd") {
        #expect(jail.backend == .journal)
        let groups = commands.journalmatch.flatMap { $0.split(separator: "+").map { $0.joined(separator: " ") } }
        #expect(groups.isEmpty || jail.journalmatch == groups, "\(name)")
      } else {
        #expect(jail.backend == .files)
      }
      equal += 1
    }
    return equal
  }

  /// As Bailiff prints it: 127.0.0.1/8 is the network 127.0.0.0/8.
  private func canonical(_ entry: String) -> String { Subnet(entry)?.description ?? entry }

  @Test func theStockJailsRunAsFail2banRunsThem() throws {
    let equal = try compare(Reference.directory)
    #expect(equal > 80)
    print("import: \(equal) stock jails have fail2ban's rules and limits")
  }

  @Test func theStockJailsOnTheJournalRunAsFail2banRunsThem() throws {
    let directory = try TestDirectory()
    try directory.linkStock()
    try directory.write("jail.local", "[DEFAULT]\nbackend = systemd\nbantime = -1\nignoreip = 10.0.0.1,::1 a.example\n")
    #expect(try compare(directory.path) > 80)
  }

  @Test func ownJailsRunAsFail2banRunsThem() throws {
    let directory = try TestDirectory()
    try directory.linkStock()
    try directory.write("jail.local", fixture("overrides/jail.local"))
    try directory.write("jail.d/10-first.conf", fixture("overrides/10-first.conf"))
    try directory.write("jail.d/20-last.local", fixture("overrides/20-last.local"))
    #expect(try compare(directory.path) > 80)
  }
}
