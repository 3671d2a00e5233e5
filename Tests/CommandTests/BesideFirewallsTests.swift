import Foundation
import TestSupport
import Testing

/// ufw, firewalld and nftables' own settings of Debian are switched on, loaded again and switched off while a banned client
/// knocks fifty times a second.
@Suite(.timeLimit(.minutes(5))) struct BesideFirewallsTests {
  /// What is done beside the daemon, in this order.
  private static let acts = [
    "ufw --force enable", "ufw reload", "ufw insert 1 allow from 127.0.0.9",
    // ufw's own words for emptying the chains of others, too.
    "sed 's/MANAGE_BUILTINS=no/MANAGE_BUILTINS=yes/' /etc/default/ufw >/run/ufw && cat /run/ufw >/etc/default/ufw && ufw reload",
    "ufw --force disable",
    // Daemons that held what the test waits for to be closed would keep it waiting; and they inherit that SIGTERM is blocked.
    """
    (for open in {3..255}; do eval "exec $open>&-"; done
      unblocked='import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execvp(sys.argv[1], sys.argv[1:])'
      python3 -c "$unblocked" dbus-daemon --system --fork
      python3 -c "$unblocked" firewalld --nofork --nopid >/run/firewalld.log 2>&1 & echo $! >/run/firewalld.pid) && \
      for try in $(seq 100); do firewall-cmd --state && break; sleep 0.2; done && firewall-cmd --state
    """,
    "firewall-cmd --reload", "firewall-cmd --complete-reload", "kill $(cat /run/firewalld.pid)",
    "nft -f /etc/nftables.conf",
  ]

  /// Namespaces in which these programs may change their settings, with a daemon.
  private final class Site {
    let directory: TestDirectory
    let config: String
    private let held: HeldNamespaces
    private let daemon: RunningDaemon

    init(_ backend: String) throws {
      directory = try TestDirectory("beside")
      held = try HeldNamespaces(
        .network, .mount,
        setup: """
          cp -a /etc/ufw /etc/firewalld '\(directory.path)'
          cp /etc/default/ufw '\(directory("default"))'
          mount --bind '\(directory("ufw"))' /etc/ufw
          mount --bind '\(directory("firewalld"))' /etc/firewalld
          mount --bind '\(directory("default"))' /etc/default/ufw
          mount -t tmpfs tmpfs /run
          mkdir -p /run/dbus /run/lock
          ip link set lo up
          """)
      try directory.write("auth.log", "")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: \(backend)}
        jails: {sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], port: all}}
        """)
      daemon = try RunningDaemon(config, in: held.enter, isDryRun: false)
    }

    deinit {
      daemon.kill()
      // What the acts have started, if they got so far.
      _ = try? Shell.runBlocking(
        "\(held.enter.joined(separator: " ")) /bin/bash -c 'kill -9 $(cat /run/firewalld.pid /run/dbus/pid)' 2>/dev/null"
      )
    }

    func run(_ script: String) async throws -> Shell.Finished {
      try await Shell.run("\(held.enter.joined(separator: " ")) /bin/bash -c \(Shell.quoted(script))")
    }

    func answers(_ client: String) async throws -> Bool {
      try await run("ping -c 1 -W 1 -I \(client) 127.0.0.1").status == 0
    }

    /// How many packets of the banned client were answered while `act` was done, and for two seconds after it.
    func answered(during act: String) async throws -> Int {
      let result = try await run(
        """
        ping -q -n -i 0.02 -I 127.0.0.9 127.0.0.1 >/run/ping & ping=$!
        { \(act)
        } >/run/said 2>&1 || cat /run/said >&2
        sleep 2; kill -INT $ping; wait $ping
        sed -nE 's/.* ([0-9]+) received.*/\\1/p' /run/ping
        """)
      return try #require(Int(result.text.split(separator: "\n").last ?? ""), "\(act): \(result.text)")
    }
  }

  @Test(arguments: ["nftables", "ipset"]) func bansHold(_ backend: String) async throws {
    let site = try Site(backend)
    try await poll("the daemon answers") {
      try await Binary.run("ban", "127.0.0.9", "--force", "--for", "1h", "--jail", "sshd", "--config", site.config)
        .status == 0
    }
    #expect(try await !site.answers("127.0.0.9"))
    for act in Self.acts {
      let answered = try await site.answered(during: act)
      // iptables' chains are everybody's: what empties them is noticed at once, and mended in one transaction.
      #expect(backend == "nftables" ? answered == 0 : answered < 50, "\(act): \(answered) packets")
      #expect(try await !site.answers("127.0.0.9"), "\(act)")
      #expect(try await site.answers("127.0.0.10"), "\(act)")
    }
    let audit = try await Binary.run("audit", "--json", "--since", "1h", "--config", site.config).output
    #expect(audit.contains("firewall-repaired") == (backend == "ipset"))
  }
}
