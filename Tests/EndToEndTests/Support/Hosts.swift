import Foundation
import TestSupport
import Testing

/// A server with sshd, a journal and Bailiff, and a second machine that has all the other addresses, on one link.
final class Hosts: Sendable {
  /// Who is who, in one family. The sibling is the attacker's neighbour in the same /64, where there is one.
  struct Addresses: Sendable, CustomTestStringConvertible {
    var server, attacker, sibling, bystander: String
    var testDescription: String { server.contains(":") ? "IPv6" : "IPv4" }

    static let ipv4 = Addresses(
      server: "10.77.0.1", attacker: "10.77.0.2", sibling: "10.77.0.4", bystander: "10.77.0.3")
    static let ipv6 = Addresses(
      server: "fd77::1", attacker: "fd77:0:0:1::2", sibling: "fd77:0:0:1::3", bystander: "fd77:0:0:2::4")
  }

  private let files: TestDirectory
  var directory: String { files.path }
  let server: Namespace
  let client: Namespace
  static let port = 2222

  init() async throws {
    files = try TestDirectory("end-to-end")
    server = try await Namespace()
    client = try await Namespace()
    try await Self.connect(server, client)
    // A /etc, /run and /var/log of its own, with a journald that needs no systemd.
    try await server.run(
      """
      set -e
      cp -a /etc \(directory)/etc; mount --bind \(directory)/etc /etc
      mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log
      rm -f /etc/machine-id; tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
      mkdir -p /run/sshd /run/systemd/journal /run/log/journal /var/log/journal/$(cat /etc/machine-id) /etc/systemd
      printf '[Journal]\\nStorage=persistent\\nRateLimitIntervalSec=0\\nRateLimitBurst=0\\nReadKMsg=no\\nAudit=no\\n' \
        >/etc/systemd/journald.conf
      rm -rf /etc/systemd/journald.conf.d
      ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/end-to-end-key
      printf 'HostKey /etc/ssh/end-to-end-key\\nUsePAM no\\nPasswordAuthentication yes\\nPermitRootLogin yes\\n\
      PidFile none\\nUseDNS no\\nMaxStartups 100\\n' >/etc/ssh/end-to-end.conf
      """)
  }

  private static func connect(_ server: Namespace, _ client: Namespace) async throws {
    // From outside, since only outside both are known by number.
    let made = try await Shell.run(
      "nsenter --target \(server.first) --net ip link add vs type veth peer name vc netns \(client.first)")
    try #require(made.status == 0, "\(made.text)")
    func add(_ address: String, to device: String) -> String {
      address.contains(":")
        ? "ip addr add \(address)/32 dev \(device) nodad; " : "ip addr add \(address)/24 dev \(device); "
    }
    var (ours, theirs) = ("set -e; ", "set -e; ")
    for family in [Addresses.ipv4, .ipv6] {
      ours += add(family.server, to: "vs")
      for address in [family.attacker, family.sibling, family.bystander] { theirs += add(address, to: "vc") }
    }
    try await server.run(ours + "ip link set vs up")
    try await client.run(theirs + "ip link set vc up")
  }

  /// sshd writes to standard error; where that goes is the machine's affair.
  enum Log: Sendable {
    /// systemd's journal.
    case journal
    /// A file, with the stamp and header that a syslog daemon puts before each line.
    case file(String)
  }

  func startSSHD(_ log: Log) async throws {
    let sshd = "/usr/sbin/sshd -D -e -p \(Self.port) -f /etc/ssh/end-to-end.conf"
    switch log {
    case .journal:
      _ = try server.start("exec /lib/systemd/systemd-journald")
      try await poll("journald") { try await self.server.attempt("[ -S /run/systemd/journal/stdout ]").status == 0 }
      try await server.run("touch /run/systemd/journal/flushed; journalctl --flush")
      _ = try server.start("exec systemd-cat -t sshd \(sshd)")
    case .file(let path):
      _ = try server.start(
        """
        \(sshd) 2>&1 | while IFS= read -r line; do
          printf '%(%FT%T%z)T srv sshd[1]: %s\\n' -1 "${line%$'\\r'}"
        done >>\(path)
        """)
    }
    try await poll("sshd") {
      try await self.reaches(Addresses.ipv4.server, from: Addresses.ipv4.bystander)
    }
  }

  /// Tries so many wrong passwords, one a connection. The last goes on by itself: where it leads to a ban, nobody answers it.
  func guess(_ count: Int, _ server: String, from address: String) async throws {
    let options =
      "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o NumberOfPasswordPrompts=1 -o ConnectTimeout=60 "
      + "-o PreferredAuthentications=password -o ConnectionAttempts=1"
    // On a machine that does much else a guess takes a while, and one that is cut off is none.
    _ = try await client.attempt(
      """
      guess() { timeout 60 sshpass -p wrong ssh -F none -p \(Self.port) -b \(address) \(options) root@\(server) true; }
      for i in $(seq 2 \(count)); do guess; done
      guess </dev/null >/dev/null 2>&1 &
      """)
  }

  /// Does a new connection come about?
  func reaches(_ server: String, from address: String, port: Int = Hosts.port) async throws -> Bool {
    let program = """
      import socket
      s = socket.socket(socket.AF_INET6 if ":" in "\(address)" else socket.AF_INET); s.settimeout(1)
      s.bind(("\(address)", 0))
      try: s.connect(("\(server)", \(port))); print("connected")
      except ConnectionRefusedError: print("refused")
      except TimeoutError: print("silence")
      """
    let answer = try await client.run("python3 -c \(Shell.quoted(program))")
    return answer == "connected\n"
  }

  func pings(_ server: String, from address: String) async throws -> Bool {
    let answer = try await client.attempt("ping -q -c 1 -W 1 -I \(address) \(server)")
    try #require(answer.status <= 1, "ping itself failed: \(answer.text)")
    return answer.status == 0
  }

  /// Is it let in, or shut out? Both as often as it takes: a machine may be busy, and a first packet be lost.
  func expect(
    _ server: String, from address: String, open: Bool, seconds: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await poll("\(address) \(open ? "let in" : "shut out")", seconds: seconds, sourceLocation: sourceLocation) {
      let connects = try await self.reaches(server, from: address)
      let pings = try await self.pings(server, from: address)
      return connects == open && pings == open
    }
  }

  // MARK: A connection that stays open

  /// Opens a connection whose bytes the server sends back; `beats` counts them.
  func startEcho(_ server: String, from addresses: [String]) async throws {
    let family = server.contains(":") ? "AF_INET6" : "AF_INET"
    let echo = """
      import socket, threading
      l = socket.socket(socket.\(family)); l.bind(("\(server)", 7007)); l.listen()
      def serve(c):
        while d := c.recv(1): c.sendall(d)
      while True: threading.Thread(target=serve, args=(l.accept()[0],)).start()
      """
    _ = try self.server.start("exec python3 -c \(Shell.quoted(echo))")
    for address in addresses {
      try await poll("the echo server") { try await self.reaches(server, from: address, port: 7007) }
      let beat = """
        import socket, time
        s = socket.socket(socket.\(family)); s.bind(("\(address)", 0)); s.connect(("\(server)", 7007))
        n = 0
        while True:
          s.sendall(b"x"); s.recv(1); n += 1
          with open("\(directory)/beats-\(address)", "w") as f: f.write(f"{n:09}")
          time.sleep(0.05)
        """
      _ = try client.start("exec python3 -c \(Shell.quoted(beat))")
      try await poll("a connection from \(address)") { self.beats(of: address) > 2 }
    }
  }

  func beats(of address: String) -> Int {
    Int((try? String(contentsOfFile: "\(directory)/beats-\(address)", encoding: .utf8)) ?? "") ?? 0
  }
}
