import Foundation
import System

@testable import Firewall

/// A program that runs beside the test, in the namespace of the thread that starts it, in a process group of its own.
struct Background: Sendable {
  private let pid: pid_t

  init(_ command: String...) throws {
    guard let path = Programs().path(command[0]) else {
      throw FirewallError(.programMissing, "the tests need \(command[0])")
    }
    var attributes = posix_spawnattr_t()
    var actions = unsafe posix_spawn_file_actions_t()
    // Safe: initialised, used by one call, destroyed.
    unsafe posix_spawnattr_init(&attributes)
    unsafe posix_spawn_file_actions_init(&actions)
    defer {
      unsafe posix_spawnattr_destroy(&attributes)
      unsafe posix_spawn_file_actions_destroy(&actions)
    }
    // The test's threads block signals, and a child would inherit that.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
    for fd in 0...2 as ClosedRange<Int32> {
      unsafe posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0)
    }
    // Safe: copied strings, freed after the call; the array ends with nil.
    var argv = unsafe command.map { (word: String) -> UnsafeMutablePointer<CChar>? in unsafe strdup(word) } + [nil]
    defer { for i in unsafe argv.indices { unsafe free(argv[i]) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, path, &actions, &attributes, &argv, environ)
    guard code == 0 else { throw FirewallError(.programFailed, "cannot run \(command[0]): \(SystemError.text(code))") }
    self.pid = pid
  }

  /// Ends it and what it started.
  func stop() {
    kill(-pid, SIGTERM)
    var status: Int32 = 0
    // Safe: writes to a local.
    unsafe waitpid(pid, &status, 0)
    kill(-pid, SIGKILL)
  }
}
