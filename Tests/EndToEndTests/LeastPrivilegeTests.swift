import Foundation
import TestSupport
import Testing

/// The daemon as `systemd/bailiff.service` runs it: a user that is nobody's, three capabilities, a system-call filter, a
/// read-only system. systemd is not there, so `fixtures/systemd/confine.py` reads the unit and sets the same restrictions.
@Suite struct LeastPrivilegeTests {
  /// The capabilities that the unit leaves, as /proc/PID/status shows them: bits 2 (DAC_READ_SEARCH), 12 (NET_ADMIN) and
  /// 13 (NET_RAW) of linux/capability.h.
  static let capabilities = "0000000000003004"

  @Test(arguments: [false, true])
  func bansReloadsAndEnds(jit: Bool) async throws {
    let network = try await TwoNetworks()
    let files = try Files()
    let daemon = try network.startConfined(files, allowsJIT: jit)
    defer { daemon.terminate() }
    try await files.waitForDaemon(daemon)

    let status = try String(contentsOfFile: "/proc/\(daemon.processIdentifier)/status", encoding: .utf8)
    let fields = Dictionary(
      status.split(separator: "\n").compactMap { line -> (Substring, String)? in
        let parts = line.split(separator: ":", maxSplits: 1)
        return parts.count == 2 ? (parts[0], parts[1].trimmingCharacters(in: .whitespaces)) : nil
      }, uniquingKeysWith: { first, _ in first })
    #expect(fields["Uid"] == "61234\t61234\t61234\t61234")
    for set in ["CapEff", "CapPrm", "CapBnd", "CapAmb"] { #expect(fields[set[...]] == Self.capabilities) }
    #expect(fields["NoNewPrivs"] == "1")
    #expect(fields["Seccomp"] == "2")

    // Where JIT is forbidden there is no memory that is both executable and of no file.
    // (grep, because Foundation takes a short read of /proc for the end.)
    let generated = try await Shell.run("grep rwxp /proc/\(daemon.processIdentifier)/maps")
    #expect((generated.status == 0) == jit, "\(generated.text)")

    #expect(try await network.reaches(from: network.attacker))
    try files.fail(from: network.attacker)
    try await poll("the ban") { try await files.bans() == [network.attacker] }
    #expect(try await !network.reaches(from: network.attacker), "a banned address still gets through")
    #expect(try await network.reaches(from: network.neighbour), "somebody else is shut out")

    // A reload changes rules, so it needs what the start needed.
    try files.writeSettings(bantime: "2h", jails: ["sshd", "second"])
    kill(daemon.processIdentifier, SIGHUP)
    try await poll("the second jail's set") {
      try await network.onServer("ipset list -name").contains("bailiff-second-4")
    }
    #expect(try await !network.reaches(from: network.attacker), "the reload let a banned address in")

    kill(daemon.processIdentifier, SIGTERM)
    try await poll("its end") { !daemon.isRunning }
    #expect(daemon.terminationReason == .exit && daemon.terminationStatus == 0)
    #expect(try await !network.reaches(from: network.attacker), "stopping lifted the ban")
  }

  /// The restrictions are really there: what an intruder in the daemon's place would try, fails.
  @Test func theRestrictionsHold() async throws {
    let tries = [
      ("touch /etc/bailiff-was-here", "Read-only file system"),
      ("unshare --net true", "Operation not permitted"),
      ("python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'", "Operation not permitted"),
      ("python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'", "not supported by protocol"),
      ("setpriv --reuid 0 true", "Operation not permitted"),
      ("mount -t tmpfs tmpfs /mnt", "denied|not permitted|must be superuser"),
    ]
    for (command, answer) in tries {
      let done = try await Shell.run(
        "unshare --net python3 \(Files.confine) \(Files.unit) -- bash -c \(Shell.quoted(command))")
      #expect(done.status != 0, "allowed: \(command)")
      #expect(done.text.contains(try Regex(answer)), "\(command): \(done.text)")
    }
  }

  /// systemd itself understands the unit, and its own measure of what a service may do (10 is everything) stays low.
  @Test func systemdFindsTheUnitRightAndTight() async throws {
    let scratch = try Files()
    let unit = "\(scratch.path)/bailiff.service"
    try String(contentsOfFile: Files.unit, encoding: .utf8)
      .replacing("/usr/bin/bailiff", with: Files.bailiff).write(toFile: unit, atomically: true, encoding: .utf8)
    let verified = try await Shell.run("systemd-analyze verify --man=no \(unit)")
    #expect(verified.status == 0 && verified.text.isEmpty, "\(verified.text)")
    let measured = try await Shell.run("systemd-analyze security --offline=yes --threshold=25 --no-pager \(unit)")
    #expect(measured.status == 0, "\(measured.text.suffix(200))")
  }
}
