import Foundation
import TestSupport
import Testing

/// Hits of web application firewalls are stored, shown and counted with the rule that was hit.
@Suite(.timeLimit(.minutes(3))) struct WAFRuleTests {
  private static func denied(_ stamp: String, _ address: String, _ rule: String, _ message: String) -> String {
    """
    \(stamp) [error] 5191#5191: *355 [client \(address)] ModSecurity: Access denied with code 403 (phase 2). Matched \
    "Operator `Ge' with parameter `5'" [file "/usr/share/modsecurity-crs/rules/x.conf"] [line "81"] [id "\(rule)"] \
    [rev ""] [msg "\(message)"] [data ""] [severity "2"] [ver "OWASP_CRS/3.3.4"] [hostname "203.0.113.1"] [uri "/"] \
    [unique_id "1"] [ref ""], client: \(address), server: , request: "GET / HTTP/1.1", host: "www.example.test"

    """
  }

  @Test func hitsAreCountedByRule() async throws {
    let scratch = try TestDirectory()
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(identifier: "UTC")
    format.dateFormat = "yyyy/MM/dd HH:mm:ss"
    func stamp(_ ago: Double) -> String { format.string(from: Date().addingTimeInterval(-ago)) }
    let log = try scratch.write(
      "error.log",
      Self.denied(stamp(300), "192.0.2.7", "942100", "SQL Injection Attack Detected via libinjection")
        + Self.denied(stamp(200), "192.0.2.8", "942100", "SQL Injection Attack Detected via libinjection")
        + Self.denied(stamp(100), "2001:db8::7", "949110", "Inbound Anomaly Score Exceeded (Total Score: <5>)"))
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: dry-run}
      jails:
        waf: {filter: modsecurity, logpath: [\(log)], backend: files, maxretry: 1, findtime: 1h, bantime: 1h}
      """)
    let replay = try await Binary.run("replay", "--record", "--config", config, log)
    try #require(replay.status == 0, "\(replay)")

    let rows = try await Binary.run("audit", "--json", "--kind", "failure", "--config", config).objects
    #expect(rows.map { $0["rule"] as? String } == ["949110", "942100", "942100"])
    #expect(rows.first?["severity"] as? String == "critical")
    #expect(rows.last?["message"] as? String == "SQL Injection Attack Detected via libinjection")
    let top = try await Binary.run("top", "--by", "rule", "--json", "--config", config).objects
    #expect(top.map { $0["name"] as? String } == ["942100", "949110"])
    #expect(top.map { $0["failures"] as? Int } == [2, 1])
    #expect(top.first?["detail"] as? String == "SQL Injection Attack Detected via libinjection, critical")
    let told = try await Binary.run("explain", "192.0.2.7", "--config", config).output
    #expect(told.contains("rule 942100 SQL Injection Attack Detected via libinjection critical"))
    let report = try await Binary.run("report", "--since", "1h", "--output", "-", "--config", config).output
    #expect(report.contains("WAF hits by rule"))
    #expect(report.contains("949110 Inbound Anomaly Score Exceeded (Total Score: &lt;5&gt;)"))
    let sql = try await Binary.shell(
      "sqlite3 -readonly \(scratch.path)/state/bailiff.db 'SELECT rule, severity, count(*) FROM failures GROUP BY 1'")
    #expect(sql.output == "942100|critical|2\n949110|critical|1\n")
    #expect(try await Binary.run("audit", "verify", "--config", config).status == 0)
  }
}
