import Foundation
import TestSupport
import Testing

/// `bailiff setup --go-live`, beside a daemon that watches and has a kernel's firewall of its own.
@Suite(.timeLimit(.minutes(3))) struct SetupTests {
  private final class Machine {
    let scratch: TestDirectory
    let network: TestNetwork
    let config: String

    init() async throws {
      scratch = try TestDirectory()
      network = try TestNetwork("ip link set lo up")
      let log = try scratch.write("auth.log", "")
      let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      config = try scratch.write(
        "bailiff.yaml",
        """
        # mine
        state: \(scratch.path)/state
        socket: \(scratch.path)/s
        filters: [\(filters.standardizedFileURL.path(percentEncoded: false))]
        firewall: {backend: dry-run}
        ignoreip: [192.0.2.1]
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(log)], port: all, maxretry: 2, findtime: 1h, bantime: 1d}

        """)
      // What supervises it: ends the one that runs, and starts another.
      _ = try scratch.write(
        "restart",
        """
        cd \(scratch.path)
        if [ -e pid ]; then
          old=$(cat pid)
          kill "$old"
          # Nobody may be there to wait for it.
          while [ -e "/proc/$old" ] && ! grep -q '^State:.Z' "/proc/$old/status"; do sleep 0.1; done
        fi
        # Foundation's Process waits until nobody holds what its child has inherited.
        (
          for fd in /proc/$BASHPID/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
          exec \(Binary.path) run --quiet --config bailiff.yaml
        ) </dev/null >/dev/null 2>log &
        echo $! >pid

        """)
      _ = try await Command.run(
        network.enter + ["/bin/bash", scratch("restart")], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
      try await poll("the daemon") { try await self.run("status").status != 3 }
    }

    deinit {
      if let text = try? String(contentsOfFile: scratch("pid"), encoding: .ascii), let process = Int32(text.dropLast())
      {
        kill(process, SIGKILL)
      }
    }

    func run(_ arguments: String...) async throws -> Finished { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Finished {
      try await Command.run(
        network.enter + [Binary.path] + arguments + ["--config", config],
        environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
    }

    func goLive(_ options: String...) async throws -> Finished {
      let answers = [
        "--yes", "--ignore", "198.51.100.0/24", "--services", "none", "--fail2ban", "leave", "--firewall", "ipset",
        "--restart", "bash \(scratch("restart"))",
      ]
      return try await run(["setup", "--go-live"] + answers + options)
    }

    func attack(_ address: String) throws {
      let line = "\(Attack.now()) web sshd[812]: Failed password for root from \(address) port 4711 ssh2\n"
      try scratch.append(line + line, to: "auth.log")
    }

    var text: String { get throws { try String(contentsOfFile: config, encoding: .utf8) } }
  }

  @Test func itBansFromThenOn() async throws {
    let machine = try await Machine()
    let before = try machine.text
    let told = try await machine.goLive("--check")
    #expect(told.status == 1, "\(told)")
    #expect(told.output.contains("firewall.backend: ipset\n") && told.output.contains("198.51.100.0/24"), "\(told)")
    #expect(try machine.text == before)

    let live = try await machine.goLive()
    #expect(live.status == 0 && live.output.contains("bailiff bans from now on, through ipset"), "\(live)")
    #expect(try machine.text.hasPrefix("# mine\n"))
    try machine.attack("203.0.113.7")
    try machine.attack("198.51.100.9")
    try await poll("the ban") { try machine.network.banned() == ["203.0.113.7"] }
    let again = try await machine.goLive("--check")
    #expect(again.status == 0 && again.output.isEmpty, "\(again)")
    #expect(try await machine.run("setup", "--keep").status == 1, "there was no --confirm")
  }

  /// Whoever is locked out waits, and gets in again.
  @Test func whatNobodyConfirmsIsUndone() async throws {
    let machine = try await Machine()
    let before = try machine.text
    let live = try await machine.goLive("--confirm", "10s")
    #expect(live.status == 0 && live.output.contains("bailiff setup --keep"), "\(live)")
    try machine.attack("203.0.113.7")
    try await poll("the ban") { try machine.network.banned() == ["203.0.113.7"] }
    try await poll("the settings of before") { try machine.text == before }
    try await poll("the firewall of before") { try machine.network.banned() == [] }
    try await poll("the daemon of before") {
      try await machine.run("status", "--json").objects.first?["dry_run"] as? Bool == true
    }
  }

  @Test func whatIsConfirmedStays() async throws {
    let machine = try await Machine()
    _ = try await machine.goLive("--confirm", "10s")
    let kept = try await machine.run("setup", "--keep")
    #expect(kept.status == 0, "\(kept)")
    let live = try machine.text
    // What waits finds that it was kept: nothing is left for it to put back.
    #expect(!FileManager.default.fileExists(atPath: machine.scratch("state/before-go-live.tar.gz")))
    let undone = try await machine.run("setup", "--undo")
    #expect(undone.status == 0 && undone.output.isEmpty)
    #expect(try machine.text == live && live.contains("backend: ipset"))
  }

  /// The timer of a go-live that was kept leaves a later one alone.
  @Test func whatWasKeptUndoesNoLaterOne() async throws {
    let machine = try await Machine()
    _ = try await machine.goLive("--confirm", "1h")
    let live = try machine.text
    let copy = machine.scratch("state/before-go-live.tar.gz")
    let earlier = try await machine.run("setup", "--undo", "--of", "1795840000000000000")
    #expect(earlier.status == 0 && earlier.output.isEmpty, "\(earlier)")
    #expect(try machine.text == live && FileManager.default.fileExists(atPath: copy))
    let undone = try await machine.run("setup", "--undo", "--restart", "bash \(machine.scratch("restart"))")
    #expect(undone.status == 0 && undone.output.contains("undone"), "\(undone)")
    #expect(try machine.text != live && !FileManager.default.fileExists(atPath: copy))
  }
}
