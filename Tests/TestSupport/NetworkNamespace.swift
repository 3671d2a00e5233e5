import CLinux
import Foundation
import Synchronization
import System

/// A thread in a network namespace of its own, its loopback up. What runs on it, and the programs started from it, see only that
/// namespace; it has no name, so nothing is left behind when the thread ends, however the test ends.
public final class NetworkNamespace: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var thread: pid_t = 0
  }

  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)

  public init() throws {
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
    guard threadNumber > 0 else { throw HeldNamespaces.NotMade() }
    // Not by Foundation's Process, which waits for a program with the help of threads that the tests may hold.
    guard let ip = Program.find("ip") else { throw HeldNamespaces.NotMade() }
    let loopback = try run { try Program(path: ip, arguments: ["link", "set", "lo", "up"]).run() }
    guard loopback.status == 0 else { throw HeldNamespaces.NotMade() }
  }

  /// The thread's number, by which `ip link set … netns` knows the namespace.
  public var threadNumber: Int32 { state.withLock { $0.thread } }

  /// Runs `body` on the namespace's thread and waits for it.
  @discardableResult
  public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let result = Mutex<Result<T, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    post {
      let value = Result { try body() }
      result.withLock { $0 = value }
      done.signal()
    }
    done.wait()
    return try result.withLock { $0 }!.get()
  }

  private func post(_ job: @escaping @Sendable () -> Void) {
    state.withLock { $0.jobs.append(job) }
    wake.signal()
  }

  public func close() { wake.signal() }

  /// Runs a test's body in a namespace of its own.
  public static func with<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let namespace = try NetworkNamespace()
    defer { namespace.close() }
    return try namespace.run(body)
  }

  /// The same for a test that must not block its thread meanwhile.
  public static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    let namespace = try NetworkNamespace()
    defer { namespace.close() }
    return try await withCheckedThrowingContinuation { done in
      namespace.post { done.resume(with: Result { try body() }) }
    }
  }
}
