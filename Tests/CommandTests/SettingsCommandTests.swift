import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct SettingsCommandTests {
  private func settings(_ scratch: TestDirectory, _ arguments: [String]) async throws -> Finished {
    try await Binary.run(["settings"] + arguments + ["--config", "\(scratch.path)/bailiff.yaml"])
  }

  /// A scratch directory with settings in pieces.
  private func pieces() throws -> TestDirectory {
    let scratch = try TestDirectory()
    let log = try scratch.write("auth.log", "")
    _ = try scratch.write(
      "bailiff.yaml", "# mine\njails:\n  sshd: {filter: sshd, logpath: [\(log)], backend: files}  # this one\n")
    _ = try scratch.write("jails.d/sshd.yaml", "maxretry: 3\n")
    return scratch
  }

  @Test func whatIsSetIsWhereItWas() async throws {
    let scratch = try pieces()
    #expect(try await settings(scratch, ["get", "jails.sshd.maxretry"]).output == "3\n")
    let changed = try await settings(scratch, ["set", "jails.sshd.maxretry", "7"])
    #expect(changed.status == 0, "\(changed)")
    #expect(changed.output == "\(scratch.path)/jails.d/sshd.yaml:1\n-maxretry: 3\n+maxretry: 7\n")
    #expect(try await settings(scratch, ["get", "jails.sshd.maxretry"]).output == "7\n")
    let again = try await settings(scratch, ["set", "jails.sshd.maxretry", "7"])
    #expect(again.status == 0 && again.output.isEmpty)
    let main = try await settings(scratch, ["set", "ignoreip", "[192.0.2.0/24]"])
    #expect(main.status == 0, "\(main)")
    let text = try String(contentsOfFile: "\(scratch.path)/bailiff.yaml", encoding: .utf8)
    #expect(text.hasPrefix("# mine\n") && text.contains("# this one\nignoreip: [192.0.2.0/24]\n"))
  }

  @Test func checkingChangesNothing() async throws {
    let scratch = try pieces()
    let told = try await settings(scratch, ["set", "jails.sshd.maxretry", "7", "--check"])
    #expect(told.status == 1 && told.output.contains("+maxretry: 7"))
    #expect(try await settings(scratch, ["set", "jails.sshd.maxretry", "3", "--check"]).status == 0)
    #expect(try await settings(scratch, ["get", "jails.sshd.maxretry"]).output == "3\n")
  }

  @Test func whatWouldBeWrongIsNotWritten() async throws {
    let scratch = try pieces()
    for (key, value) in [("jails.sshd.maxretry", "many"), ("jails.sshd.maxrety", "3"), ("jails.sshd.maxretry", "[")] {
      let refused = try await settings(scratch, ["set", key, value])
      #expect(refused.status == 2 && !refused.error.isEmpty && refused.output.isEmpty, "\(refused)")
    }
    #expect(try await settings(scratch, ["get", "jails.sshd.maxretry"]).output == "3\n")
    #expect(try await settings(scratch, ["get", "jails.sshd.bantime"]).status == 1)
  }

  @Test func checkShowsEachPlace() async throws {
    let scratch = try pieces()
    let shown = try await Binary.run(["check", "--show", "--config", "\(scratch.path)/bailiff.yaml"])
    #expect(shown.status == 0, "\(shown)")
    #expect(shown.output.contains("maxretry: 3"))
    #expect(shown.output.contains("# \(scratch.path)/jails.d/sshd.yaml:1\n"))
  }
}
