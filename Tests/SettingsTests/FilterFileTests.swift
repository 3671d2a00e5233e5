import Filters
import Model
import Testing

@testable import Settings

struct FilterFileTests {
  static let filters = "\(FixtureTests.directory)/filters"

  @Test func everyKey() throws {
    let text = """
      service: waf
      summary: Hits of the web application firewall
      program: nginx
      journalmatch: _SYSTEMD_UNIT=nginx.service
      logpath: [/var/log/nginx/error.log, /var/log/nginx/*.error.log]
      port: [http, https, 8443]
      maxretry: 10
      findtime: 2m
      untrusted_after_open_quote: 4096
      patterns:
        - name: hit
          match: 'severity "(?<severity>\\d+)".*\\[client <host>\\]'
          weight: {group: severity, values: {"2": 5, 5: 0}, otherwise: 2}
        - {name: plain, match: "^x\\t<host>", weight: 3}
      ignore:
        - name: own
          match: 'monitoring'
      samples:
        - before: "an open \\" quote"
          line: "x\\t192.0.2.7 \\e[0m"
          expect: {pattern: plain, host: 192.0.2.7, count: 3, user: no, code: 007}
        - line: y
          expect: none
      """
    let filter = try FilterFile.parse(text, file: "/f/waf.yaml")
    guard case .native(let rules) = filter.rules else {
      Issue.record("no native rules")
      return
    }
    #expect(filter.name == "waf" && filter.file == "/f/waf.yaml")
    #expect(filter.summary == "Hits of the web application firewall")
    #expect(rules.programs == ["nginx"] && filter.journalmatch == ["_SYSTEMD_UNIT=nginx.service"])
    #expect(filter.logpath.count == 2 && filter.port == ["http", "https", "8443"])
    #expect(filter.maxretry == 10 && filter.findtime == .minutes(2))
    #expect(rules.untrustedAfterOpenQuote == 4096)
    #expect(rules.patterns.map(\.name) == ["hit", "plain"] && rules.ignore.map(\.name) == ["own"])
    #expect(rules.patterns[0].match == #"severity "(?<severity>\d+)".*\[client <host>\]"#)
    #expect(rules.patterns[0].weight == .captured(group: "severity", values: ["2": 5, "5": 0], otherwise: 2))
    #expect(rules.patterns[0].place == Place(file: "/f/waf.yaml", line: 12, column: 12))
    #expect(rules.patterns[1].weight == .fixed(3))
    // Scalars stay what was typed: `no` is a user, 007 a code.
    #expect(
      filter.samples[0].expect == ["pattern": "plain", "host": "192.0.2.7", "count": "3", "user": "no", "code": "007"])
    #expect(filter.samples[0].line == "x\t192.0.2.7 \u{1B}[0m" && filter.samples[0].before == "an open \" quote")
    #expect(filter.samples[1].expect == nil && filter.samples[1].place.line == 22)
  }

  @Test func tags() throws {
    let text = #"""
      program: [ftpd]
      own_log: yes
      tags: {day: '[A-Z][a-z]{2}', head: '(?:<day> <day> )?\[client <host>\] '}
      patterns:
        - {name: a, match: '^<head>user <<user>> (?<day>x) <other>'}
      """#
    guard case .native(let rules) = try FilterFile.parse(text, file: "x.yaml").rules else {
      Issue.record("no native rules")
      return
    }
    #expect(rules.hasOwnLog)
    let day = "[A-Z][a-z]{2}"
    #expect(rules.patterns[0].match == #"^(?:\#(day) \#(day) )?\[client <host>\] user <<user>> (?<day>x) <other>"#)
    let error = #expect(throws: SettingsErrors.self) {
      try FilterFile.parse("tags: {host: x, 'A b': y}\npatterns: [{name: a, match: '<host>'}]", file: "x.yaml")
    }
    #expect(
      error?.errors.map(\.description) == [
        "x.yaml:1:8: no tag can be called `host`; use small letters, digits and _, and another name than host, user and port",
        "x.yaml:1:17: no tag can be called `A b`; use small letters, digits and _, and another name than host, user and port",
      ])
  }

  @Test func problems() throws {
    let text = """
      patterns:
        - {name: a, match: '^a <host>'}
        - {name: b, match: '^b <host>'}
        - {name: a, match: '^c <host>'}
      samples:
        - {line: 'a 192.0.2.7', expect: {pattern: a, host: 192.0.2.7}}
        - {line: 'b 192.0.2.7', expect: {pattern: bb}}
        - {line: 'c 192.0.2.7', expect: {host: 192.0.2.7}}
      """
    let problems = try FilterFile.parse(text, file: "x.yaml").problems
    #expect(
      problems.map(\.description) == [
        "x.yaml:3:22: pattern `b` has no sample; add a line that it matches, with expect: {pattern: b, host: …}",
        "x.yaml:4:22: two patterns are called `a`; give each its own name",
        "x.yaml:7:5: no pattern `bb`; did you mean `b`?",
        "x.yaml:8:5: the sample's `expect` names no `pattern`; add pattern: name",
      ])
    #expect(try FilterFile.load(path: "\(Self.filters)/sshd.yaml").problems.isEmpty)
    #expect(try FilterFile.load(path: "\(Self.filters)/nginx-probe.yaml").problems.isEmpty)
  }

  @Test func errorsAreThrownTogether() {
    let error = #expect(throws: SettingsErrors.self) { try FilterFile.load(path: "\(Self.filters)/broken.yaml") }
    #expect(error?.errors.count == 9)
    let empty = #expect(throws: SettingsErrors.self) { try FilterFile.parse("", file: "x.yaml") }
    #expect(empty?.description == "x.yaml:1:1: the filter is empty; give it `patterns` and `samples`")
    let missing = #expect(throws: SettingsErrors.self) { try FilterFile.load(path: "/nonexistent/x.yaml") }
    #expect(missing?.description == "/nonexistent/x.yaml: cannot be read: no such file or directory; check the path")
  }

  @Test func library() throws {
    let library = FilterLibrary(directories: ["/nonexistent", Self.filters], builtin: [])
    #expect(library.names == ["broken", "empty", "nginx-probe", "sshd", "wrong-name"])
    #expect(library.path(of: "sshd") == "\(Self.filters)/sshd.yaml")
    for name in ["", ".", "..", "../filters/sshd", "/etc/passwd", "sshd.yaml", "ssh"] {
      #expect(library.path(of: name) == nil)
    }
    #expect(try library.load("sshd").name == "sshd")
    #expect(try library.load("\(Self.filters)/sshd.yaml").name == "sshd")
    let error = #expect(throws: SettingsErrors.self) { try library.load("shd") }
    #expect(error?.description == "shd: no such filter; did you mean `sshd`?")
    let all = library.all()
    #expect(all.filters.map(\.name) == ["nginx-probe", "sshd"])
    #expect(all.errors.count == 11)
  }

  @Test func builtinPlaces() {
    #expect(
      FilterLibrary.builtinDirectories(executable: "/usr/local/bin/bailiff") == ["/usr/local/share/bailiff/filters"])
    #expect(FilterLibrary.builtinDirectories(executable: "/usr/bin/bailiff") == ["/usr/share/bailiff/filters"])
    #expect(
      FilterLibrary.builtinDirectories(executable: "/home/a/bailiff/.build/x86_64-unknown-linux-gnu/debug/bailiff").last
        == "/home/a/bailiff/filters")
    #expect(FilterLibrary.builtinDirectories(executable: "bailiff").isEmpty)
    // The test program itself lies in a checkout's `.build`.
    #expect(FilterLibrary.builtinDirectories().contains { $0.hasSuffix("/filters") && !$0.contains("/share/") })
    // The same directory is not searched twice.
    #expect(FilterLibrary(directories: ["/a"], builtin: ["/a", "/b"]).directories == ["/a", "/b"])
  }
}
