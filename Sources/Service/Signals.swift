internal import Glibc
internal import System

/// The daemon's signals, owned by one thread: SIGTERM and SIGINT end it, SIGUSR1 lifts every ban and ends it, SIGHUP reloads.
public enum Signals {
  /// What `bailiff stop --unban` sends.
  public static let stopLiftingBans = SIGUSR1

  /// Keeps the signals waiting for `listen`. Must come before any thread is made, since threads inherit the mask.
  public static func block() {
    var set = set()
    // Safe: pthread_sigmask(3) reads the set during the call.
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Calls `body` with each signal, on a thread of its own.
  static func listen(_ body: @escaping @Sendable (Int32) -> Void) {
    _ = ServiceThread("bailiff-signals") {
      while true {
        var set = set()
        var signal: Int32 = 0
        // Safe: sigwait(3) writes the number of the signal that it took.
        if unsafe sigwait(&set, &signal) == 0 { body(signal) }
      }
    }
  }

  /// Waits for one.
  public static func wait() {
    var set = set()
    var signal: Int32 = 0
    // Safe: as above.
    _ = unsafe sigwait(&set, &signal)
  }

  private static func set() -> sigset_t {
    var set = sigset_t()
    // Safe: both fill in the set they are given.
    unsafe sigemptyset(&set)
    for signal in [SIGTERM, SIGINT, SIGHUP, stopLiftingBans] { unsafe sigaddset(&set, signal) }
    return set
  }
}
