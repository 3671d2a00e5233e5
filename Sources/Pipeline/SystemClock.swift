internal import Glibc
public import Model

/// This machine's clock; the rooms that decide are told the time, they do not ask.
public enum SystemClock {
  public static func now() -> Instant {
    var time = timespec()
    // Safe: clock_gettime(2) fills the struct it is given.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}
