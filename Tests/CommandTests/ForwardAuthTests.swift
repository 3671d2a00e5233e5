import Foundation
import TestSupport
import Testing

/// Debian's proxies ask `/v1/check`, set up as docs/outputs.md has it: who is banned gets 403 from them, with nothing of what
/// is behind, and a client's own X-Forwarded-For is of no use to it.
@Suite(.timeLimit(.minutes(3))) struct ForwardAuthTests {
  /// A program that ends with the test.
  private final class Running {
    let process = Process()

    init(_ command: [String], home: String) throws {
      process.executableURL = URL(filePath: command[0])
      process.arguments = Array(command.dropFirst())
      process.environment = ["HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    deinit {
      process.terminate()
      process.waitUntilExit()
    }
  }

  private enum Proxy: String, CaseIterable {
    case nginx, caddy

    func configuration(_ directory: TestDirectory, port: Int, check: Int) -> String {
      switch self {
      case .nginx:
        """
        daemon off; pid \(directory("pid")); error_log \(directory("error.log")); worker_processes 1; events {}
        http {
          access_log off;
          server {
            listen 127.0.0.1:\(port);
            location = /bailiff { internal; proxy_pass http://127.0.0.1:\(check)/v1/check; proxy_pass_request_body off;
              proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-For $remote_addr; }
            location / { auth_request /bailiff; try_files /none @in; }
            location @in { return 200 "behind"; }
          }
        }
        """
      case .caddy:
        """
        {
          admin off
          auto_https off
        }
        http://127.0.0.1:\(port) {
          forward_auth 127.0.0.1:\(check) {
            uri /v1/check
          }
          respond "behind"
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

  @Test(arguments: Proxy.allCases) private func whoIsBannedIsNotLetIn(_ proxy: Proxy) async throws {
    let directory = try TestDirectory("forward")
    let (port, check) = (Int.random(in: 20_000..<26_000), Int.random(in: 26_000..<32_000))
    try directory.write("auth.log", "")
    let config = try directory.write(
      "bailiff.yaml",
      """
      state: \(directory("state"))
      socket: \(directory("socket"))
      firewall: {backend: dry-run}
      compat: {check: {listen: "127.0.0.1:\(check)"}}
      jails: {sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))]}}
      """)
    let daemon = try RunningDaemon(config, isDryRun: false)
    defer { daemon.kill() }
    let settings = try directory.write("proxy", proxy.configuration(directory, port: port, check: check))
    let running = try Running(proxy.command(settings, directory), home: directory.path)
    defer { withExtendedLifetime(running) {} }
    /// The status and the body, asked from an address of the loopback's.
    func ask(from client: String, _ options: String = "") async throws -> String {
      try await Shell.run(
        "curl -s -w ' %{http_code}' --interface \(client) \(options) http://127.0.0.1:\(port)/"
      ).text
    }
    try await poll("\(proxy) lets in") { try await ask(from: "127.0.0.7") == "behind 200" }
    #expect(try await Binary.run("ban", "127.0.0.7", "--force", "--for", "1h", "--config", config).status == 0)
    try await poll("\(proxy) refuses") { try await ask(from: "127.0.0.7").hasSuffix(" 403") }
    for options in ["", "-X DELETE", "-d a=b", "-H 'X-Forwarded-For: 127.0.0.8'", "-H 'X-Real-IP: 127.0.0.8'"] {
      let answer = try await ask(from: "127.0.0.7", options)
      #expect(answer.hasSuffix(" 403") && !answer.contains("behind"), "\(options): \(answer)")
    }
    // Nobody else, whatever they say of themselves.
    #expect(try await ask(from: "127.0.0.8") == "behind 200")
    #expect(try await ask(from: "127.0.0.8", "-H 'X-Forwarded-For: 127.0.0.7'") == "behind 200")
    #expect(try await Binary.run("unban", "127.0.0.7", "--config", config).status == 0)
    try await poll("\(proxy) lets in again") { try await ask(from: "127.0.0.7") == "behind 200" }
  }
}
