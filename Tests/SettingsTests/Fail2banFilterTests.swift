import Filters
import Testing

@testable import Settings

/// The room that reads fail2ban's files hands its filters in; what the jail says is laid over them.
struct Fail2banFilterTests {
  static let definition = FilterDefinition(
    name: "sshd", file: "/f/sshd.conf",
    rules: .fail2ban(Fail2banRules(failregex: ["^x <HOST>"], logtimezone: "UTC")),
    journalmatch: ["_COMM=sshd"])

  @Test func pathAndOptionsArrive() {
    var asked: [(String, [String: String])] = []
    let text = """
      jails:
        a: {filter: /f/sshd.conf, options: {mode: aggressive, publickey: any, n: 3}}
        b: {filter: sub/sshd.conf}
        c: {filter: /f/sshd.conf, logpath: /var/log/auth.log}
        d: {filter: /f/sshd.conf, options: {logtype: short}}
      """
    let reading = readText(text) { path, options in
      asked.append((path, options))
      return Self.definition
    }
    #expect(reading.errors.isEmpty)
    #expect(asked[0].0 == "/f/sshd.conf")
    // A jail without files reads the journal, and so the filter is told, unless the jail says something else.
    #expect(asked[0].1 == ["mode": "aggressive", "publickey": "any", "n": "3", "logtype": "journal"])
    #expect(asked[2].1 == [:] && asked[3].1 == ["logtype": "short"])
    // Relative to the settings file.
    #expect(asked[1].0.hasPrefix("/") && asked[1].0.hasSuffix("/sub/sshd.conf"))
    let jail = reading.settings.jails[0]
    #expect(
      jail.filter == .fail2ban(path: "/f/sshd.conf", options: ["mode": "aggressive", "publickey": "any", "n": "3"]))
    #expect(jail.journalmatch == ["_COMM=sshd"])
    // Nothing said: what the filter says.
    #expect(jail.usedns == .warn && jail.timezone == "UTC" && jail.definition == Self.definition)
  }

  @Test func theJailOverrides() throws {
    let text = """
      defaults: {usedns: yes}
      jails:
        a:
          filter: /f/sshd.conf
          maxlines: 7
          datepattern: '^%Y-%m-%d'
          logencoding: latin-1
          logtimezone: UTC+0200
        b: {filter: /f/sshd.conf, usedns: raw}
      """
    let reading = readText(text) { _, _ in Self.definition }
    #expect(reading.errors.isEmpty)
    let jails = reading.settings.jails
    guard case .fail2ban(let rules) = try #require(jails[0].definition).rules else {
      Issue.record("no fail2ban rules")
      return
    }
    #expect(rules.maxlines == 7 && rules.datepattern == "^%Y-%m-%d" && rules.logencoding == "latin-1")
    #expect(rules.logtimezone == "UTC+0200" && rules.usedns == .yes)
    #expect(jails.map(\.usedns) == [.yes, .raw])
    #expect(jails.map(\.timezone) == ["UTC+0200", "UTC"])
  }

  @Test func whatTheLoaderThrowsIsReportedInItsPlace() {
    struct Odd: Error, CustomStringConvertible { var description: String { "odd" } }
    let text = """
      jails:
        a: {filter: /f/a.conf}
        b: {filter: /f/b.conf}
        c: {filter: /f/c.conf}
        d: {filter: sshd}
      """
    let reading = readText(text) { path, _ in
      switch path {
      case "/f/a.conf": throw Odd()
      case "/f/b.conf":
        throw SettingsErrors([SettingsError(Place(file: path, line: 3, column: 1), "bad", remedy: "good")])
      default: throw FilterError(place: Place(file: "", line: 0, column: 0), message: "no pattern", remedy: "add one")
      }
    }
    #expect(reading.errors.map(\.place.line) == [2, 4, 3])
    #expect(reading.errors.map(\.jail) == ["a", "c", "b"])
    #expect(reading.errors[0].message == "filter `/f/a.conf`: odd")
    // One bad jail does not keep the others from running.
    #expect(reading.settings.jails.map(\.name) == ["d"])
    #expect(reading.generalErrors.isEmpty)
  }
}
