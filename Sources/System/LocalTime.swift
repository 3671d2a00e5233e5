internal import CLinux
internal import Glibc
public import Model

/// Times as people read them: this machine's zone, which is shown.
public enum LocalTime {
  /// `2026-11-21 05:24:01 CET`.
  public static func text(_ instant: Instant) -> String {
    let (offset, zone) = zone(at: instant)
    let t = CivilTime(instant, offset: offset)
    return "\(t.year)-\(two(t.month))-\(two(t.day)) \(two(t.hour)):\(two(t.minute)):\(two(t.second)) \(zone)"
  }

  /// Seconds east of UTC, and what the zone is called then.
  private static func zone(at instant: Instant) -> (offset: Int, name: String) {
    var time = time_t(instant.seconds)
    var parts = unsafe tm()
    // Safe: both pointers are to local variables; localtime_r fails on years that an Int32 does not hold.
    guard unsafe localtime_r(&time, &parts) != nil else { return (0, "UTC") }
    // Safe: tm_zone is a text of the C library's time zone data, which stays; it is copied at once.
    let name = unsafe parts.tm_zone.map { unsafe String(cString: $0) } ?? "UTC"
    return (unsafe parts.tm_gmtoff, name)
  }

  private static func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
}
