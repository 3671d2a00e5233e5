import Foundation
import TestSupport
import Testing

/// What Prometheus is told by a running daemon: read by prometheus-client's parser, by promtool and by Prometheus itself.
@Suite(.timeLimit(.minutes(5))) struct MetricsTests {
  private static let monitoring = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../packaging/monitoring").standardizedFileURL.path

  private final class Server {
    let directory: TestDirectory
    let network: TestNetwork
    let daemon: RunningDaemon
    let config: String

    /// In a network of its own, so with ports of its own, and a kernel that bans.
    init() throws {
      directory = try TestDirectory("metrics")
      network = try TestNetwork("ip link set lo up")
      try directory.write("auth.log", Self.failures("192.0.2.7") + Self.failures("192.0.2.8"))
      try directory.write("bad.txt", "198.51.100.7\n203.0.113.0/24\n")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: nftables, protect: [host]}
        compat: {prometheus: {listen: "127.0.0.1:8789"}}
        outputs: {record: {type: file, path: \(directory("record.json"))}}
        lists: {bad: {path: \(directory("bad.txt"))}}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3}
          again: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 100}
          blind: {filter: sshd, backend: files, logpath: [\(directory("no.log"))]}
        """)
      daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
    }

    deinit { daemon.kill() }

    static func failures(_ address: String) -> String {
      let stamp = Date().formatted(.iso8601)
      return (0..<3).map { "\(stamp) web sshd[81\($0)]: Failed password for root from \(address) port 4711 ssh2\n" }
        .joined()
    }

    func inside(_ line: String) async throws -> Shell.Finished {
      try await Shell.run((network.enter + ["/bin/bash", "-c", line]).map(Shell.quoted).joined(separator: " "))
    }

    func scrape() async throws -> [MetricSample] {
      let result = try await inside("curl -sf http://127.0.0.1:8789/metrics -o \(directory("metrics"))")
      return result.status == 0 ? try MetricSample.parse(directory("metrics")) : []
    }
  }

  @Test func everyPartHasItsFigures() async throws {
    let server = try Server()
    var samples: [MetricSample] = []
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
      samples.first { $0.name == name && $0.labels == labels }?.value
    }
    let record = ["output": "record", "type": "file"]
    try await poll("two bans are in the kernel, told, and the blind jail is known") {
      samples = try await server.scrape()
      return value("bailiff_jail_bans", ["jail": "sshd"]) == 2 && value("bailiff_output_events_total", record) ?? 0 >= 8
        && value("bailiff_warnings", ["code": "jail_blind"]) == 1 && value("bailiff_list_entries", ["list": "bad"]) == 2
    }
    let log = ["source": server.directory("auth.log")]
    #expect(value("bailiff_source_lines_total", log) == 6 && value("bailiff_source_matched_lines_total", log) == 6)
    #expect(value("bailiff_source_failed", log) == 0 && value("bailiff_source_lag_bytes", log) == 0)
    #expect(value("bailiff_jail_failures_total", ["jail": "sshd"]) == 6)
    #expect(value("bailiff_list_failing", ["list": "bad"]) == 0)
    #expect(value("bailiff_list_loaded_timestamp_seconds", ["list": "bad"]) ?? 0 > 1_700_000_000)
    #expect(value("bailiff_jail_running", ["jail": "blind"]) == 1 && value("bailiff_ok") == 0)
    #expect(value("bailiff_firewall_enforcing") == 1 && value("bailiff_firewall_dry_run") == 0)
    #expect(value("bailiff_firewall_info", ["backend": "nftables"]) == 1 && value("bailiff_store_writing") == 1)
    // Both jails have the filter: one series, with what both found.
    let patterns = samples.filter { $0.name == "bailiff_pattern_failures_total" && $0.value > 0 }
    #expect(patterns.count == 1 && patterns[0].value == 12 && patterns[0].labels["filter"] == "sshd")
    #expect(value("bailiff_line_to_kernel_seconds_count") ?? 0 >= 1)
    #expect(value("bailiff_decision_to_kernel_seconds_count") ?? 0 >= 1)
    #expect(
      value("bailiff_line_to_kernel_seconds_bucket", ["le": "+Inf"]) == value("bailiff_line_to_kernel_seconds_count"))
    #expect(value("process_resident_memory_bytes") ?? 0 > 1_000_000 && value("process_cpu_seconds_total") ?? 0 > 0)
    // No address and no user is in it.
    #expect(samples.allSatisfy { !$0.labels.values.contains { $0.contains("192.0.2.") || $0 == "root" } })

    let lint = try await Shell.run("promtool check metrics < \(server.directory("metrics"))")
    #expect(lint.status == 0 && lint.text.isEmpty, "\(lint.text)")
    let onSocket = try await server.inside("curl -s --unix-socket \(server.directory("socket")) http://bailiff/metrics")
    #expect(onSocket.text.contains("bailiff_jail_bans{jail=\"sshd\"} 2\n"))
    // The alerts and the board ask for nothing that is not there.
    // This daemon reads no journal.
    let known = Set(samples.map(\.name)).union(["bailiff_source_lag_seconds"])
    for file in ["bailiff-alerts.yml", "bailiff-grafana.json"] {
      let text = try String(contentsOfFile: "\(Self.monitoring)/\(file)", encoding: .utf8)
      let names = text.matches(of: /\b(?:bailiff|process)_[a-z_]+[a-z]\b/).map { String($0.output) }
      #expect(names.count > 8)
      for name in Set(names) { #expect(known.contains(name), "\(file) asks for \(name)") }
    }
  }

  @Test func theAlertsAreAsTheyShouldBe() async throws {
    let result = try await Shell.run(
      "cd \(Self.monitoring) && promtool check rules bailiff-alerts.yml && promtool test rules bailiff-alerts-test.yml")
    #expect(result.status == 0, "\(result.text)")
  }

  /// Prometheus itself, which takes some seconds: a scrape, and an alert that is due.
  @Test func prometheusScrapesAndAlerts() async throws {
    let server = try Server()
    let alerts = try String(contentsOfFile: "\(Self.monitoring)/bailiff-alerts.yml", encoding: .utf8)
    try server.directory.write("alerts.yml", alerts.replacing(/for: [0-9]+m/, with: "for: 0s"))
    let config = try server.directory.write(
      "prometheus.yml",
      """
      global: {scrape_interval: 1s, evaluation_interval: 1s}
      rule_files: [\(server.directory("alerts.yml"))]
      scrape_configs: [{job_name: bailiff, static_configs: [{targets: ["127.0.0.1:8789"]}]}]
      """)
    let prometheus = Process()
    prometheus.executableURL = URL(filePath: server.network.enter[0])
    prometheus.arguments =
      server.network.enter.dropFirst() + [
        "/usr/bin/prometheus", "--config.file=\(config)", "--storage.tsdb.path=\(server.directory("tsdb"))",
        "--web.listen-address=127.0.0.1:9090",
      ]
    prometheus.standardOutput = FileHandle.nullDevice
    prometheus.standardError = FileHandle.nullDevice
    try prometheus.run()
    defer {
      kill(prometheus.processIdentifier, SIGKILL)
      prometheus.waitUntilExit()
    }
    var answer = ""
    try await poll("the alert fires") {
      answer = try await server.inside("curl -s http://127.0.0.1:9090/api/v1/alerts").text
      return answer.contains("\"jail_blind\"") && answer.contains("\"state\":\"firing\"")
    }
    #expect(answer.contains("BailiffWarning") && !answer.contains("BailiffDown") && !answer.contains("NotEnforcing"))
    let query = try await server.inside("curl -s 'http://127.0.0.1:9090/api/v1/query?query=bailiff_jail_bans'")
    #expect(query.text.contains("\"jail\":\"sshd\""), "\(query.text)")
  }
}
