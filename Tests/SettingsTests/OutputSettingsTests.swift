import Filters
import Foundation
import Model
import TestSupport
import Testing

@testable import Settings

/// `outputs`: what is read, and what is wrong with its place and a remedy.
struct OutputSettingsTests {
  private static func read(_ text: String, _ directory: TestDirectory) throws -> Settings.Reading {
    let file = try directory.write("bailiff.yaml", "jails:\n  sshd: {filter: sshd}\noutputs:\n" + text)
    try TestDirectory.chmod(file, 0o600)
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
    return Settings.read(
      path: file, fail2banFilter: { _, _ in throw CocoaError(.featureUnsupported) },
      builtin: [filters.standardizedFileURL.path])
  }

  /// A line for each error: `LINE:COLUMN message; remedy`.
  private static func errors(_ text: String, _ directory: TestDirectory) throws -> [String] {
    try read(text, directory).errors.map { "\($0.place.line):\($0.place.column) \($0.message); \($0.remedy)" }
  }

  @Test func everyTypeIsRead() throws {
    let directory = try TestDirectory("settings")
    let token = try directory.write("token", "s3cret\n")
    try TestDirectory.chmod(token, 0o600)
    let reading = try Self.read(
      """
        chat: {type: webhook, preset: telegram, token: {file: \(token)}, chat: "-1", kinds: [ban, alert], rate: 20/1h}
        hook: {type: webhook, url: "https://example.org/x", body: '{"text": "{text}"}', headers: {X-Key: abc}, digest: 10m}
        post: {type: mail, to: [a@example.org], server: "smtp.example.org:587", user: a, password: {file: \(token)}}
        local: {type: mail, to: a@example.org, sendmail: /bin/true, quiet: {from: 22:00, to: 07:00, except: critical}}
        run: {type: program, command: [/bin/true, --flag], jails: [sshd]}
        lines: {type: file, path: \(directory("out.log")), format: fail2ban}
        log: {type: syslog, server: "tls://log.example.org", facility: local3, severity: warning}
      """, directory)
    #expect(reading.errors.map(\.description) == [])
    #expect(reading.warnings.map(\.description) == [])
    let outputs = reading.settings.outputs
    #expect(outputs.map(\.name) == ["chat", "hook", "post", "local", "run", "lines", "log"])
    #expect(outputs[0].rate == .init(count: 20, span: .hours(1)) && outputs[0].kinds == [.ban, .alert])
    #expect(outputs[1].digest == .minutes(10))
    guard case .mail(let mail) = outputs[2].destination, case .server(let server) = mail.way else {
      Issue.record("no mail")
      return
    }
    #expect(server.security == .starttls && server.port == 587)
    #expect(try server.password?.read() == "s3cret")
    #expect(outputs[3].quiet == QuietHours(from: 22 * 60, to: 7 * 60, except: .critical))
    #expect(outputs[5].kinds == [.failure, .ban, .unban])
    guard case .syslog(let syslog) = outputs[6].destination else { return }
    #expect(syslog.server == .tls(host: "log.example.org", port: 6514) && syslog.facility == 19)
    // A secret does not come into what is printed.
    #expect(!"\(outputs)".contains("s3cret"))
  }

  @Test func everyErrorHasItsPlaceAndRemedy() throws {
    let directory = try TestDirectory("settings")
    let open = try directory.write("open", "s3cret\n")
    try TestDirectory.chmod(open, 0o644)
    let cases: [(String, String)] = [
      ("  a: {type: webhok}", "4:13 "), ("  a: {type: webhook}", "has no `url`"),
      ("  a: {type: webhook, url: 'ftp://x/'}", "no URL of http"),
      (
        "  a: {type: webhook, url: 'https://x/', text: '{idd} is banned'}",
        "`{idd}`, which does not exist; did you mean"
      ),
      ("  a: {type: webhook, url: {file: \(open)}}", "can be read by everybody; chmod 600"),
      ("  a: {type: webhook, url: {file: /no/such}}", "No such file"),
      ("  a: {type: webhook, preset: telegram, chat: x}", "has no `token`"),
      ("  a: {type: webhook, url: 'https://x/', ca: /no/such.pem}", "No such file"),
      ("  a: {type: webhook, url: 'https://x/', digest: 1m, body: '{id}'}", "a message may hold several"),
      ("  a: {type: mail, to: nobody, server: x}", "no mail address"),
      ("  a: {type: mail, to: a@b.c, server: smtp.example.org, tls: none, user: a, password: b}", "in the clear"),
      ("  a: {type: mail, to: a@b.c}", "neither `server` nor `sendmail`"),
      ("  a: {type: program, command: [/no/such]}", "no program"),
      ("  a: {type: program, command: /bin/true --flag}", "write the arguments as a list"),
      ("  a: {type: file, path: /no/such/dir/x}", "mkdir -p"),
      ("  a: {type: syslog, server: 'http://x'}", "tcp://host:601"),
      ("  a: {type: syslog, rate: 5}", "20/1h"),
      ("  a: {type: syslog, jails: [ssd]}", "there is no jail `ssd`; did you mean"),
      ("  a: {type: syslog, quiet: {from: 25:00, to: 07:00}}", "no time of day"),
      ("  a: {type: syslog, kinds: []}", "nothing would be told"), ("  a: {type: syslog, colour: red}", "colour"),
    ]
    for (text, expected) in cases {
      let errors = try Self.errors(text, directory)
      #expect(errors.count == 1 && errors[0].contains(expected), "\(text): \(errors)")
    }
  }

  /// An output with an error is left out; jails and the other outputs run.
  @Test func othersAreNotConcerned() throws {
    let directory = try TestDirectory("settings")
    let reading = try Self.read("  a: {type: webhok}\n  b: {type: syslog}\n", directory)
    #expect(reading.errors.map(\.output) == ["a"] && reading.generalErrors.isEmpty)
    #expect(reading.settings.outputs.map(\.name) == ["b"] && reading.settings.jails.count == 1)
  }

  @Test func whoeverCanReadSecretsIsWarnedOf() throws {
    let directory = try TestDirectory("settings")
    let text = "  a: {type: webhook, preset: slack, url: 'https://hooks.slack.com/services/T/B/x'}\n"
    #expect(try Self.read(text, directory).warnings.isEmpty)
    let file = try directory.write("open.yaml", "outputs:\n" + text)
    try TestDirectory.chmod(file, 0o644)
    let reading = Settings.read(path: file, fail2banFilter: { _, _ in throw CocoaError(.featureUnsupported) })
    #expect(reading.warnings.map(\.message) == ["everybody can read this file, and it holds a secret"])
    let plain = "  a: {type: webhook, url: 'http://example.org/x'}\n"
    #expect(try Self.read(plain, directory).warnings.count == 1)
  }
}

extension OutputSettingsTests {
  @Test func everyKeyIsDocumented() throws {
    let page = try String(contentsOf: DocumentationTests.root.appending(path: "docs/outputs.md"), encoding: .utf8)
    for key in (Keys.output + Keys.quiet).names { #expect(page.contains("`\(key)"), "no word about \(key)") }
    for field in MessageTemplate.Field.allCases {
      #expect(page.contains("`{\(field.rawValue)}`"), "no word about \(field)")
    }
    for preset in WebhookSettings.Preset.allCases where preset != .json {
      #expect(page.contains("`\(preset.rawValue)`"))
    }
  }
}

extension OutputSettingsTests {
  @Test func reportsAndEdgesAreRead() throws {
    let directory = try TestDirectory("settings")
    let reading = try Self.read(
      """
        a: {type: abuse, service: abuseipdb, key: k, categories: [18, 22]}
        b: {type: abuse, service: blocklist_de, key: k, sender: s@example.org, rate: 20/1h}
        x: {type: abuse, service: xarf, from: a@example.org, server: "smtp.example.org:587", rate: 50/1d}
        n: {type: edge, at: nginx, path: \(directory("bans")), reload: [/bin/true, -s, reload]}
        h: {type: edge, at: haproxy, socket: /run/haproxy/admin.sock, acl: /etc/haproxy/bans.acl, every: 1s}
        c: {type: edge, at: cloudflare, zone: 0123456789abcdef0123456789abcdef, token: t}
        u: {type: edge, at: cloudflare, email: a@example.org, token: t}
      """, directory)
    #expect(reading.errors.map(\.description) == [])
    let edges = reading.settings.outputs.compactMap { output in
      if case .edge(let edge) = output.destination { edge } else { nil }
    }
    #expect(edges.count == 4 && edges[1].every == .seconds(1))
    #expect(
      edges[0].way == .file(path: directory("bans"), format: .nginx, reload: ["/bin/true", "-s", "reload"]))
    guard case .cloudflare(let cloudflare) = edges[3].way else { return }
    #expect(cloudflare.scope == .user && cloudflare.email == "a@example.org")
    #expect(!"\(reading.settings.outputs.map(\.destination))".contains("\"t\""))
  }

  @Test(arguments: [
    ("{type: abuse, key: k}", "has no `service`"), ("{type: abuse, service: abuseipdb}", "has no `key`"),
    ("{type: abuse, service: blocklist_de, key: k}", "has no `sender`"),
    ("{type: abuse, service: abuseipdb, key: k, sender: a@b.c}", "belongs to blocklist_de"),
    ("{type: abuse, service: abuseipdb, key: k, categories: [99]}", "categories"),
    ("{type: abuse, service: xarf, from: a@b.c}", "neither `server` nor `sendmail`"),
    ("{type: abuse, service: xarf, server: localhost}", "has no `from`"),
    ("{type: abuse, service: xarf, from: a@b.c, server: localhost, key: k}", "`key` belongs to"),
    ("{type: abuse, service: abuseipdb, key: k, server: localhost}", "belongs to xarf"),
    ("{type: abuse, service: abuseipdb, key: k, url: 'http://example.org/'}", "no URL of https"),
    ("{type: abuse, service: abuseipdb, key: k, kinds: [failure]}", "`kinds` has no meaning"),
    ("{type: edge}", "has no `at`"), ("{type: edge, at: nginx}", "has no `path`"),
    ("{type: edge, at: squid}", "squid"), ("{type: edge, at: nginx, path: /tmp/x, zone: x}", "belongs to cloudflare"),
    ("{type: edge, at: nginx, path: /tmp/x, reload: [/no/such]}", "no program"),
    ("{type: edge, at: nginx, path: /tmp/x, digest: 1h}", "would let in who is banned"),
    ("{type: edge, at: haproxy, socket: /run/x}", "has no `acl`"),
    ("{type: edge, at: haproxy, socket: /run/x, acl: '/etc/a b'}", "cannot take"),
    ("{type: edge, at: cloudflare}", "has no `token`"),
    ("{type: edge, at: cloudflare, token: t, zone: example.org}", "which is no ID"),
  ]) func whatIsWrongWithReportsAndEdges(_ text: String, _ expected: String) throws {
    let directory = try TestDirectory("settings")
    let errors = try Self.errors("  a: \(text)", directory)
    #expect(errors.count == 1 && errors[0].contains(expected), "\(text): \(errors)")
  }
}
