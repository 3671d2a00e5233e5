import AuditLog
import Foundation
import Model
import Settings
import TestSupport
import Testing

@testable import Outputs

/// Records as rsyslog takes them apart.
@Suite(.timeLimit(.minutes(3))) struct SyslogTests {
  /// rsyslogd that listens on a Unix socket, UDP and TCP, and writes down the parts of what it got.
  private final class Server {
    let directory: TestDirectory
    let port = Int.random(in: 20_000..<32_000)
    private let process = Process()

    init() throws {
      directory = try TestDirectory("rsyslog")
      let configuration = """
        module(load="imuxsock" SysSock.Use="off")
        module(load="imudp")
        module(load="imtcp")
        global(workDirectory="\(directory.path)" parser.escapeControlCharactersOnReceive="on")
        template(name="parts" type="string"
          string="%syslogfacility-text%|%syslogseverity-text%|%hostname%|%programname%|%procid%|%timereported:::date-rfc3339%|%msg%\\n")
        input(type="imuxsock" Socket="\(directory("log"))")
        input(type="imudp" address="127.0.0.1" port="\(port)")
        input(type="imtcp" address="127.0.0.1" port="\(port)")
        action(type="omfile" file="\(directory("out"))" template="parts" flushOnTXEnd="on")
        """
      let file = try directory.write("rsyslog.conf", configuration + "\n")
      process.executableURL = URL(filePath: "/usr/sbin/rsyslogd")
      process.arguments = ["-n", "-f", file, "-i", directory("pid")]
      process.environment = ["TZ": "UTC"]
      try process.run()
      try pollBlocking("rsyslogd listens") { [directory] in
        FileManager.default.fileExists(atPath: directory("log"))
          && (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/net/tcp", encoding: .utf8))?
            .contains(String(format: "0100007F:%04X", port)) == true
      }
    }

    deinit {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }

    var lines: [[String]] {
      ((try? String(contentsOfFile: directory("out"), encoding: .utf8)) ?? "").split(separator: "\n").map {
        $0.split(separator: "|", maxSplits: 6, omittingEmptySubsequences: false).map(String.init)
      }
    }
  }

  private static func output(_ server: SyslogSettings.Server, _ format: OutputFormat = .json) -> OutputSettings {
    var settings = SyslogSettings()
    settings.server = server
    settings.format = format
    return OutputSettings(name: "log", destination: .syslog(settings))
  }

  private static func deliver(_ row: AuditRow, _ output: OutputSettings) throws {
    guard case .syslog(let settings) = output.destination else { return }
    _ = try Syslog(settings).deliver(Message([Event(row), Event(row)], of: output, host: "web"))
  }

  private static func row() -> AuditRow {
    var row = AuditRow(kind: .ban, number: 1, time: Instant(seconds: 1_795_840_000), action: "ban")
    (row.id, row.jail, row.count, row.banNumber, row.cause) = ("192.0.2.7", "sshd", 3, 1, "limit")
    row.until = row.time.adding(.hours(1))
    return row
  }

  @Test func rsyslogReadsThem() throws {
    let server = try Server()
    let ways: [SyslogSettings.Server] = [
      .local(server.directory("log")), .udp(host: "127.0.0.1", port: server.port),
      .tcp(host: "127.0.0.1", port: server.port),
    ]
    for (number, way) in ways.enumerated() {
      try Self.deliver(Self.row(), Self.output(way))
      try pollBlocking("\(way)") { server.lines.count == 2 * (number + 1) }
      let parts = try #require(server.lines.last)
      #expect(
        parts[0] == "auth" && parts[1] == "notice" && parts[3] == "bailiff" && parts[4] == "\(getpid())", "\(way)")
      if number > 0 { #expect(parts[2] == "web") }
      #expect(parts[5].hasPrefix("2026-11-28T04:26:40") || number == 0, "\(parts[5])")
      let object = try #require(JSONSerialization.jsonObject(with: Data(parts[6].utf8)) as? [String: Any])
      #expect(object["id"] as? String == "192.0.2.7" && object["kind"] as? String == "ban")
    }
    try Self.deliver(Self.row(), Self.output(ways[0], .fail2ban))
    try pollBlocking("in fail2ban's words") { server.lines.count == 8 }
    #expect(server.lines.last?[3] == "fail2ban.actions" && server.lines.last?[6] == " NOTICE [sshd] Ban 192.0.2.7")
  }

  @Test func nobodyListens() throws {
    let directory = try TestDirectory("syslog")
    for way in [SyslogSettings.Server.local(directory("none")), .tcp(host: "127.0.0.1", port: 1)] {
      #expect(throws: DeliveryError.self) { try Self.deliver(Self.row(), Self.output(way)) }
    }
  }
}
