import Foundation
import Glibc
import Testing

/// A nats-server with JetStream of the test's own, on the loopback; `kill` and `start` as often as one likes.
public final class NATSServer {
  public let port: Int
  public let directory: TestDirectory
  private let options: [String]
  private var process: Process?

  public var url: String { "nats://127.0.0.1:\(port)" }

  /// - Parameter config: more of its settings.
  public init(_ config: String = "", port given: Int? = nil, name: String = "n1") throws {
    port = try given ?? Self.freePort()
    directory = try TestDirectory("nats")
    let file = try directory.write(
      "nats.conf",
      """
      port: \(port)
      host: 127.0.0.1
      server_name: \(name)
      jetstream: {store_dir: "\(directory("js"))", max_mem: 64MB, max_file: 20GB}
      \(config)
      """)
    options = ["-c", file, "-l", directory("log")]
    try start()
  }

  deinit { kill() }

  public func start() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/nats-server")
    if !FileManager.default.isExecutableFile(atPath: "/usr/sbin/nats-server") {
      process.executableURL = URL(filePath: "/usr/bin/nats-server")
    }
    process.arguments = options
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
    try pollBlocking("nats-server answers on \(port)", seconds: 20) { Self.answers(port) }
  }

  /// It answers nobody, as behind a network that is cut; what is on its way waits.
  public func pause() { if let process { Glibc.kill(process.processIdentifier, SIGSTOP) } }

  public func resume() { if let process { Glibc.kill(process.processIdentifier, SIGCONT) } }

  /// Three that hold each message three times.
  public static func cluster() throws -> [NATSServer] {
    let ports = try (0..<3).map { _ in try freePort() }
    let routes = ports.map { "nats://127.0.0.1:\($0)" }.joined(separator: ", ")
    return try ports.enumerated().map { index, port in
      try NATSServer("cluster: {name: c, listen: \"127.0.0.1:\(port)\", routes: [\(routes)]}", name: "n\(index + 1)")
    }
  }

  /// SIGKILL.
  public func kill() {
    guard let process, process.isRunning else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Below those that the kernel gives to others (ip_local_port_range): it must still be free when a server starts again.
  public static func freePort() throws -> Int {
    for _ in 0..<100 {
      let port = Int.random(in: 15_000..<30_000)
      if !answers(port) { return port }
    }
    throw CocoaError(.featureUnsupported)
  }

  private static func answers(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        unsafe connect(socket, raw, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
