internal import CLinux
internal import Glibc
public import Model

/// This machine's wall clock (clock_gettime(2), CLOCK_REALTIME), which people and time servers set. Modules that decide are
/// told the time, they do not ask.
public enum SystemClock {
  public static func now() -> Instant {
    var time = timespec()
    // Safe: clock_gettime(2) fills the struct it is given.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  /// Is it kept in time by anybody? Nil: the kernel does not say.
  public static var isSynchronised: Bool? {
    let state = bailiff_is_clock_synchronised()
    return state < 0 ? nil : state == 1
  }
}

/// Seconds since the machine started, with a fraction; never runs backwards (CLOCK_MONOTONIC).
public func monotonicSeconds() -> Double {
  var time = timespec()
  // Safe: clock_gettime(2) fills the struct it is given.
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
