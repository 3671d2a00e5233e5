import AuditLog
import Foundation
import Testing

/// `bailiff top --by kind`: patterns of several filters are one kind.
@Suite struct AttackKindTests {
  @Test(arguments: [
    ("failed-password", "failed login"), ("login-failed", "failed login"), ("wrong-domain", "failed login"),
    ("sql-injection", "SQL injection"), ("backdoor", "web shell"), ("portscan", "blocked by the firewall"),
    ("no-such-name", "other"),
  ]) func namesTellTheKind(pattern: String, kind: String) {
    #expect(AttackKind.name(ofPattern: pattern) == kind)
  }

  /// Every rule for access logs says which kind of attack it stands for.
  @Test(arguments: ["http-probe", "http-probe-json", "haproxy", "iis"]) func webRulesHaveOne(filter: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters/\(filter).yaml")
    let names = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
      line.hasPrefix("  - name: ") ? String(line.dropFirst("  - name: ".count)) : nil
    }
    #expect(names.count > 10)
    for name in names { #expect(AttackKind.name(ofPattern: name) != "other", "\(name)") }
  }
}
