import Glibc
import Model

/// Times as people read them: this machine's zone, which is shown.
enum LocalTime {
  /// `2026-11-21 05:24:01 CET`.
  static func text(_ instant: Instant) -> String {
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

  static func now() -> Instant {
    var time = timespec()
    // Safe: the pointer is to a local variable, which the call fills.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  /// `45s`, `12m`, `3h 20m`, `2d 4h`: the two largest units.
  static func span(_ span: TimeSpan) -> String {
    let seconds = abs(span.seconds == .min ? .max : span.seconds)
    let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0s" }
    var text = "\(seconds / units[first].0)\(units[first].1)"
    if first + 1 < units.count {
      let rest = seconds % units[first].0 / units[first + 1].0
      if rest > 0 { text += " \(rest)\(units[first + 1].1)" }
    }
    return span.seconds < 0 ? "-" + text : text
  }
}

/// `12,345`.
func grouped(_ number: some BinaryInteger) -> String {
  let digits = String(number.magnitude)
  var text = ""
  for (i, digit) in digits.enumerated() {
    if i > 0, (digits.count - i) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return number < 0 ? "-" + text : text
}

/// `1 ban`, `2,000 bans`.
func counted(_ number: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
  "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// `4.0 KiB`.
func byteSize(_ bytes: UInt64) -> String {
  guard bytes >= 1024 else { return "\(bytes) B" }
  var value = Double(bytes)
  var unit = ""
  for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
    value /= 1024
    unit = next
  }
  let tenths = Int((value * 10).rounded())
  return "\(tenths / 10).\(tenths % 10) \(unit)"
}
