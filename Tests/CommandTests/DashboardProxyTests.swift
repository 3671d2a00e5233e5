import Foundation
import TestSupport
import Testing

/// The dashboard behind Debian's proxies with TLS, set up as docs/dashboard.md has it.
@Suite(.timeLimit(.minutes(5))) struct DashboardProxyTests {
  private enum Proxy: String, CaseIterable {
    case nginx, caddy

    func configuration(_ directory: TestDirectory, port: Int, behind: Int) -> String {
      let (certificate, key) = (directory("proxy.pem"), directory("proxy.key"))
      switch self {
      case .nginx:
        return """
          daemon off; pid \(directory("pid")); error_log \(directory("error.log")); worker_processes 1; events {}
          http {
            access_log off; client_body_temp_path \(directory("b")); proxy_temp_path \(directory("p"));
            fastcgi_temp_path \(directory("f")); uwsgi_temp_path \(directory("u")); scgi_temp_path \(directory("s"));
            upstream bailiff { server 127.0.0.1:\(behind); keepalive 4; }
            server {
              listen 127.0.0.1:\(port) ssl; ssl_certificate \(certificate); ssl_certificate_key \(key);
              location / { proxy_pass http://bailiff; proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
                proxy_set_header X-Forwarded-Proto $scheme; proxy_buffering off; }
            }
          }
          """
      case .caddy:
        return """
          {
            admin off
            auto_https off
          }
          https://bailiff.example.org:\(port), https://127.0.0.1:\(port) {
            tls \(certificate) \(key)
            reverse_proxy 127.0.0.1:\(behind)
          }
          """
      }
    }

    func command(_ config: String, _ directory: TestDirectory) -> [String] {
      switch self {
      case .nginx: ["/usr/sbin/nginx", "-e", directory("error.log"), "-c", config]
      case .caddy: ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", config]
      }
    }
  }

  private final class Site {
    let directory: TestDirectory
    let config: String
    let port = Int.random(in: 20_000..<26_000)
    private let daemon: RunningDaemon
    private let process = Process()

    init(_ proxy: Proxy) async throws {
      directory = try TestDirectory("dashproxy")
      let behind = Int.random(in: 26_000..<32_000)
      try directory.write("auth.log", "")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        api: {listen: "127.0.0.1:\(behind)", hosts: [bailiff.example.org], trusted_proxies: [127.0.0.1], jail: logins}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))]}
          logins: {source: reports, maxretry: 50}
        """)
      _ = try await Shell.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bailiff.example.org "
          + "-addext subjectAltName=DNS:bailiff.example.org,IP:127.0.0.1 "
          + "-keyout \(directory("proxy.key")) -out \(directory("proxy.pem")) 2>/dev/null")
      daemon = try RunningDaemon(config, isDryRun: false)
      let settings = try directory.write("proxy", proxy.configuration(directory, port: port, behind: behind))
      let command = proxy.command(settings, directory)
      process.executableURL = URL(filePath: command[0])
      process.arguments = Array(command.dropFirst())
      process.environment = ["HOME": directory.path, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      try await poll("\(proxy) answers") { try await ask("/login").contains("200") }
    }

    deinit {
      process.terminate()
      process.waitUntilExit()
      daemon.kill()
    }

    /// The headers and the body.
    func ask(_ path: String, _ options: String = "") async throws -> String {
      try await Shell.run(
        "curl -s -i --cacert \(directory("proxy.pem")) --resolve bailiff.example.org:\(port):127.0.0.1 \(options) "
          + "https://bailiff.example.org:\(port)\(path)"
      ).text
    }

    /// Bytes as they are, and all that comes back until nothing has come for a second and a half.
    func send(_ text: String) async throws -> String {
      try directory.write("request", text)
      try directory.write("send.py", Self.sender)
      return try await Shell.run("python3 \(directory("send.py")) \(port) \(directory("request"))").text
    }

    private static let sender = """
      import socket, ssl, sys
      context = ssl._create_unverified_context()
      with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as plain:
          with context.wrap_socket(plain) as peer:
              peer.settimeout(1.5)
              peer.sendall(open(sys.argv[2], "rb").read())
              got = b""
              try:
                  while piece := peer.recv(65536): got += piece
              except (TimeoutError, OSError): pass
      print(got.decode("latin-1"))
      """
  }

  @Test(arguments: Proxy.allCases) private func peopleComeThroughAProxy(_ proxy: Proxy) async throws {
    let site = try await Site(proxy)
    let made = try await Shell.run(
      "echo 'correct horse' | \(Binary.path) user add alice --role look --config \(site.config)")
    try #require(made.status == 0, "\(made.text)")
    let jar = site.directory("jar")
    let form = "-c \(jar) -d name=alice --data-urlencode 'password=correct horse' --interface 127.0.0.9"
    // What a client says of itself is of no use to it.
    let login = try await site.ask("/login", form + " -H 'X-Forwarded-For: 198.51.100.66'")
    #expect(login.contains("303") && login.contains("; Secure"), "\(login)")
    let page = try await site.ask("/", "-b \(jar)")
    #expect(page.contains("200") && page.contains("All is well") || page.contains("class=\"warning\""), "\(page)")
    let audit = try await Binary.run("audit", "--kind", "operator", "--json", "--config", site.config).output
    #expect(audit.contains("login (alice from 127.0.0.9)") && !audit.contains("198.51.100.66"), "\(audit)")
    // Events come as they happen, through the proxy too.
    let events = try await Shell.run(
      "(sleep 1; \(Binary.path) ban 203.0.113.9 --config \(site.config) >/dev/null) & "
        + "curl -sN -m 5 -b \(jar) --cacert \(site.directory("proxy.pem")) --resolve bailiff.example.org:\(site.port):127.0.0.1 "
        + "'https://bailiff.example.org:\(site.port)/api/v1/events?after=now'; wait"
    ).text
    #expect(events.contains("event: ban") && events.contains("203.0.113.9"), "\(events)")
    // Under a name that is not in `hosts`, nothing is answered, whatever the proxy lets through.
    let foreign = try await site.ask("/login", "-H 'Host: evil.example'")
    #expect(!foreign.contains("Log in"), "\(foreign)")
  }

  /// What a proxy and the server could understand differently (RFC 9112, 11.2): no request that was hidden in another's body is
  /// answered, and nobody gets an answer that was meant for somebody else.
  @Test(arguments: Proxy.allCases) private func nothingIsSmuggled(_ proxy: Proxy) async throws {
    let site = try await Site(proxy)
    let hidden = "GET /assets/dashboard.js HTTP/1.1\r\nHost: bailiff.example.org\r\nX: "
    let tries = [
      "Content-Length: \(hidden.utf8.count)\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\(hidden)",
      "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n\(hidden)",
      "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n\(hidden)",
      "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n\(hidden)",
      "Transfer-Encoding:\u{0B}chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n\(hidden)",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n\(hidden)",
      "Content-Length: 0\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n\(hidden)",
      "Content-Length: 0, \(hidden.utf8.count)\r\n\r\n\(hidden)", "Content-Length: +0\r\n\r\n\(hidden)",
      "Content-Length : \(hidden.utf8.count)\r\n\r\n\(hidden)",
      "Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n\(hidden)",
      "X: a\r\n\tContent-Length: \(hidden.utf8.count)\r\n\r\n\(hidden)",
    ]
    for rest in tries {
      let answer = try await site.send("POST /login HTTP/1.1\r\nHost: bailiff.example.org\r\n\(rest)")
      // The script is what was hidden; who sent it may not even get it himself, but as a second request of his own.
      let isOwn = rest.contains("Content-Length: \(hidden.utf8.count)\r\nTransfer-Encoding") == false
      #expect(!answer.contains("EventSource") || isOwn, "\(rest.debugDescription): \(answer)")
      for _ in 0..<4 {
        let next = try await site.ask("/login")
        #expect(next.contains("<title>Log in") && !next.contains("EventSource"), "\(rest.debugDescription): \(next)")
      }
    }
  }
}
