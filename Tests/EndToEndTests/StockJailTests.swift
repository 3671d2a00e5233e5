import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What fail2ban's users do first: import their configuration, check it, and let it run.
  @Suite(.timeLimit(.minutes(5))) struct StockJailTests {
    private struct Attack {
      var jail, address: String
      /// As Debian's jail.conf has it.
      var log: String
      /// A port that the jail closes.
      var port: Int
      /// What the daemon writes, in the shell: $D is the date as it writes it, $i and $RANDOM are numbers.
      var dateFormat, line: String
    }

    private static let attacks = [
      Attack(
        jail: "sshd", address: Hosts.Addresses.ipv4.attacker, log: "auth.log", port: 22, dateFormat: "%b %e %T",
        line: "$D srv sshd[$RANDOM]: Failed password for root from ADDRESS port 4711 ssh2"),
      Attack(
        jail: "postfix", address: Hosts.Addresses.ipv4.sibling, log: "mail.log", port: 25, dateFormat: "%b %e %T",
        line: "$D srv postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[ADDRESS]: 554 5.7.1 <a@b.test>: "
          + "Relay access denied; from=<c@d.test> to=<a@b.test> proto=ESMTP helo=<e.test>"),
      Attack(
        jail: "dovecot", address: Hosts.Addresses.ipv6.attacker, log: "mail.log", port: 143, dateFormat: "%b %e %T",
        line: "$D srv dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, "
          + "rip=ADDRESS, lip=fd77::1, TLS, session=<abc$i>"),
      Attack(
        jail: "nginx-http-auth", address: Hosts.Addresses.ipv6.sibling, log: "nginx/error.log", port: 80,
        dateFormat: "%Y/%m/%d %T",
        line: "$D [error] 12#12: *$i user \\\"x\\\": password mismatch, client: ADDRESS, server: s, "
          + "request: \\\"GET / HTTP/1.1\\\", host: \\\"h\\\""),
      Attack(
        jail: "apache-auth", address: Hosts.Addresses.ipv4.bystander, log: "apache2/error.log", port: 443,
        dateFormat: "%a %b %d %T.000000 %Y",
        line: "[$D] [auth_basic:error] [pid $i] [client ADDRESS:4711] AH01617: user x: authentication failure for "
          + "\\\"/\\\": Password Mismatch"),
    ]
    private static let bystander = Hosts.Addresses.ipv6.bystander

    /// Debian's configuration with five jails enabled and nothing else changed: the fifth failure is a ban in the kernel's
    /// set of its jail, and closes that jail's ports to that address, and no others.
    @Test func stockJailsBan() async throws {
      let hosts = try await Hosts()
      let bailiff = try await importedBailiff(
        hosts, Self.attacks.map { "[\($0.jail)]\nenabled = true\n" }.joined(), logs: Self.attacks.map(\.log))
      try await bailiff.start()
      try await listen(hosts, Self.attacks.map(\.port) + [7007])

      for attack in Self.attacks { try await log(4, attack, hosts) }
      try await poll("four failures in each jail: \(bailiff.said)") {
        try await failures(bailiff) == Dictionary(uniqueKeysWithValues: Self.attacks.map { ($0.jail, 4) })
      }
      #expect(try await bailiff.objects("bans").isEmpty, "banned before maxretry")
      for attack in Self.attacks { try await log(1, attack, hosts) }
      for attack in Self.attacks { try await bailiff.wait(forBanOf: attack.address) }

      let bans = try await bailiff.objects("bans")
      for attack in Self.attacks {
        let ban = try #require(bans.first { $0["id"] as? String == attack.address })
        #expect(ban["jail"] as? String == attack.jail)
        let set = "bailiff-\(attack.jail)-\(attack.address.contains(":") ? 6 : 4)"
        try await poll("\(attack.address) in \(set)") {
          try await hosts.server.attempt("ipset test \(set) \(attack.address)").status == 0
        }
        let server = server(attack.address)
        try await poll("packets to port \(attack.port) dropped") {
          try await !hosts.reaches(server, from: attack.address, port: attack.port)
        }
        try await poll("packets to other ports let in") {
          try await hosts.reaches(server, from: attack.address, port: 7007)
        }
        if server.contains(":") {
          try await poll("packets of others let in") {
            try await hosts.reaches(server, from: Self.bystander, port: attack.port)
          }
        }
      }
      #expect(bans.count == Self.attacks.count)
      #expect(try await bailiff.end("TERM") == 0)
    }

    /// A name bans what it resolves to, `ignoreip` may hold a name, and who is banned again and again is shut out of every
    /// port by the stock jail `recidive`, without a log of fail2ban's to read.
    @Test func namesAndThoseWhoComeBack() async throws {
      let hosts = try await Hosts()
      let who = Hosts.Addresses.ipv4
      try await hosts.server.run(
        "printf '%s mallory.example.test\\n%s friend.example.test\\n' \(who.sibling) \(who.bystander) >>/etc/hosts")
      let bailiff = try await importedBailiff(
        hosts,
        """
        [DEFAULT]
        ignoreip = 127.0.0.1/8 friend.example.test
        bantime = 10s
        maxretry = 2
        [sshd]
        enabled = true
        [recidive]
        enabled = true
        maxretry = 2
        """, logs: ["auth.log"])
      try await bailiff.start()
      try await listen(hosts, [22, 7007])
      var attack = Self.attacks[0]
      func bans(_ jail: String) async throws -> [String] {
        try await bailiff.decisions(["ban"]).filter { $0["jail"] as? String == jail }
          .compactMap { $0["id"] as? String }
      }

      attack.address = "mallory.example.test"
      try await log(2, attack, hosts)
      try await poll("a ban of what the name resolves to: \(bailiff.said)") { try await bans("sshd") == [who.sibling] }
      #expect(try await bans("recidive").isEmpty)
      // friend.example.test was asked for before, when the daemon started.
      attack.address = who.bystander
      try await log(3, attack, hosts)
      attack.address = "mallory.example.test"
      try await poll("the ban's end") { try await bailiff.objects("bans").isEmpty }
      try await hosts.expectOpen(who.server, from: who.sibling, port: 7007)
      try await log(2, attack, hosts)
      try await poll("a second ban: \(bailiff.said)") { try await bans("recidive") == [who.sibling] }
      #expect(try await bans("sshd") == [who.sibling, who.sibling])
      try await poll("every port closed") {
        try await !hosts.reaches(who.server, from: who.sibling, port: 7007)
      }
      try await hosts.expectOpen(who.server, from: who.bystander, port: 22)
      #expect(try await bailiff.end("TERM") == 0)
    }

    // MARK: Means

    /// Bailiff with the imported /etc/fail2ban, to which `local` is all that was added, on empty logs.
    private func importedBailiff(_ hosts: Hosts, _ local: String, logs: [String]) async throws -> RunningBailiff {
      try local.write(toFile: "\(hosts.directory)/etc/fail2ban/jail.local", atomically: true, encoding: .utf8)
      // Only the jails that the test names.
      try await hosts.server.run(
        "rm -f /etc/fail2ban/jail.d/*; cd /var/log; mkdir -p nginx apache2; touch \(logs.joined(separator: " "))")
      let bailiff = try RunningBailiff(hosts)
      try bailiff.write("state: \(hosts.directory)/state\nsocket: \(hosts.directory)/bailiff.sock\n")
      let notes = try await hosts.server.run(
        "\(Files.bailiff) import fail2ban 2>&1 >>\(bailiff.config); \(Files.bailiff) check --config \(bailiff.config) >&2"
      )
      #expect(!notes.contains("jail.local"), "\(notes)")
      return bailiff
    }

    private func log(_ count: Int, _ attack: Attack, _ hosts: Hosts) async throws {
      let line = attack.line.replacing("ADDRESS", with: attack.address)
      try await hosts.server.run(
        """
        for i in $(seq \(count)); do D=$(date '+\(attack.dateFormat)'); echo "\(line)"; done >>/var/log/\(attack.log)
        """)
    }

    private func server(_ address: String) -> String {
      address.contains(":") ? Hosts.Addresses.ipv6.server : Hosts.Addresses.ipv4.server
    }

    private func listen(_ hosts: Hosts, _ ports: [Int]) async throws {
      let program = """
        import selectors, socket
        s = selectors.DefaultSelector()
        for port in \(ports):
          s.register(socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True), 1)
        while True:
          for key, _ in s.select(): key.fileobj.accept()[0].close()
        """
      _ = try hosts.server.start("exec python3 -c \(Shell.quoted(program))")
      try await hosts.expectOpen(Hosts.Addresses.ipv4.server, from: Hosts.Addresses.ipv4.attacker, port: ports[0])
      try await hosts.expectOpen(Hosts.Addresses.ipv6.server, from: Self.bystander, port: ports[0])
    }

    private func failures(_ bailiff: RunningBailiff) async throws -> [String: Int] {
      var counts: [String: Int] = [:]
      for failure in try await bailiff.objects("audit --kind failure") {
        counts[failure["jail"] as? String ?? "", default: 0] += failure["count"] as? Int ?? 0
      }
      return counts
    }
  }
}

extension Hosts {
  fileprivate func expectOpen(_ server: String, from address: String, port: Int) async throws {
    try await poll("\(address) let in on port \(port)") {
      try await self.reaches(server, from: address, port: port)
    }
  }
}
