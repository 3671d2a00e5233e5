import Firewall
import Model
import Settings
import Testing

@testable import Pipeline

/// What settings mean for the firewall.
@Suite struct FirewallPlanTests {
  private static func targets(_ jails: String) throws -> [String: FirewallTarget] {
    let text = "filters: [\(Bench.root)/filters]\njails: {\(jails)}\n"
    let reading = Settings.read(text: text, file: "bailiff.yaml")
    #expect(reading.errors.isEmpty, "\(reading.errors)")
    let plan = Plan(reading.settings).firewallPlan
    return Dictionary(plan.targets.map { ($0.jail, $0) }) { first, _ in first }
  }

  /// SIP, DNS and VPNs come over UDP, and the web does too.
  @Test func portsAreClosedOverUDPToo() throws {
    let log = "logpath: [/dev/null]"
    let targets = try Self.targets(
      "sip: {filter: asterisk, \(log)}, dns: {filter: bind, \(log)}, web: {filter: nginx-http-auth, \(log)}, "
        + "old: {filter: sshd, \(log), protocol: tcp}")
    for jail in ["sip", "dns", "web"] {
      let target = try #require(targets[jail])
      #expect(target.protocols == [.tcp, .udp], "\(jail)")
      guard case .ranges = target.ports else {
        Issue.record("\(jail): \(target.ports)")
        continue
      }
    }
    #expect(targets["old"]?.protocols == [.tcp])
  }
}
