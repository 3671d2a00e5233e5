import CLinux
import Foundation
import Synchronization

@testable import Firewall

/// A thread in a network namespace of its own. What runs on it, and the programs started from it, see only that
/// namespace; it has no name, so nothing is left behind when the thread ends, however the test ends.
final class NetworkNamespace: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var closed = false
    var thread: pid_t = 0
  }

  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)

  init() throws {
    let ready = DispatchSemaphore(value: 0)
    let thread = Thread { [self] in
      let ok = unshare(Int32(bailiff_clone_newnet)) == 0
      state.withLock { $0.thread = ok ? gettid() : -1 }
      ready.signal()
      while ok {
        wake.wait()
        let next = state.withLock { state -> (@Sendable () -> Void)? in
          state.jobs.isEmpty ? nil : state.jobs.removeFirst()
        }
        guard let next else { return }
        next()
      }
    }
    thread.stackSize = 4 << 20
    thread.start()
    ready.wait()
    guard threadNumber > 0 else {
      throw FirewallError(.notPermitted, "the tests make network namespaces: run them as root")
    }
    try run { try shell("ip link set lo up") }
  }

  /// The thread's number, by which `ip link set … netns` knows the namespace.
  var threadNumber: pid_t { state.withLock { $0.thread } }

  /// Runs `body` on the namespace's thread and waits for it.
  @discardableResult
  func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let result = Mutex<Result<T, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    state.withLock {
      $0.jobs.append {
        let value = Result { try body() }
        result.withLock { $0 = value }
        done.signal()
      }
    }
    wake.signal()
    done.wait()
    return try result.withLock { $0 }!.get()
  }

  func close() { wake.signal() }

  /// Runs a test's body in a namespace of its own.
  static func with<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let namespace = try NetworkNamespace()
    defer { namespace.close() }
    return try namespace.run(body)
  }
}

/// Runs a command (split at spaces) in the calling thread's namespace; throws when it fails.
@discardableResult
func shell(_ command: String, input: String = "") throws -> String {
  let words = command.split(separator: " ").map(String.init)
  return try Programs().run(words[0], Array(words.dropFirst()), input: input)
}

/// A server with 10.77.0.1 and fd77::1, and a client with 10.77.0.2 to .5 and fd77::2 to ::5, on one link.
struct TwoHosts: Sendable {
  let server: NetworkNamespace
  let client: NetworkNamespace

  init() throws {
    server = try NetworkNamespace()
    client = try NetworkNamespace()
    let peer = client.threadNumber
    try server.run {
      try shell("ip link add vs type veth peer name vc")
      try shell("ip link set vc netns \(peer)")
      try shell("ip addr add 10.77.0.1/24 dev vs")
      try shell("ip addr add fd77::1/64 dev vs nodad")
      try shell("ip link set vs up")
    }
    try client.run {
      for i in 2...5 {
        try shell("ip addr add 10.77.0.\(i)/24 dev vc")
        try shell("ip addr add fd77::\(i)/64 dev vc nodad")
      }
      try shell("ip link set vc up")
    }
  }

  func close() {
    client.close()
    server.close()
  }
}
