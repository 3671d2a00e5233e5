import Foundation
import TestSupport
import Testing

/// `bailiff support`: what strangers may read.
@Suite(.timeLimit(.minutes(1))) struct SupportTests {
  @Test func nobodyIsNamedUnlessTold() async throws {
    let scratch = try TestDirectory()
    _ = try scratch.write("shop.example.org.access.log", "")
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      ignoreip: [198.51.100.7, "2001:db8:7::/48", office.example.org]
      jails:
        web: {filter: http-probe, logpath: [\(scratch.path)/shop.example.org.access.log], maxretry: 17}

      """)
    let names = ["198.51.100.7", "2001:db8:7::", "office.example.org", "shop.example.org"]
    let report = try await Binary.run("support", "--config", config)
    #expect(report.status == 0 && report.error.isEmpty, "\(report)")
    for name in names { #expect(!report.output.contains(name), "\(name) is in \(report.output)") }
    for part in [
      "## Settings", "maxretry: 17", "<address-1>", ".access.log", "## Status", "the daemon is not there",
      "## The system",
      "## The unit", "## Rules, IPv4", "Linux version",
    ] {
      #expect(report.output.contains(part), "\(part) is not in \(report.output)")
    }
    let open = try await Binary.run("support", "--as-is", "--config", config)
    for name in names { #expect(open.output.contains(name), "\(name)") }
  }
}
