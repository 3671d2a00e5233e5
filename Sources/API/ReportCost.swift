internal import Model
internal import System

/// What the daemon has done since it started, and what it took: a report's last table.
public enum ReportCost {
  /// A name and a value each.
  public static func rows(_ status: StatusReply) -> [(name: String, value: String)] {
    let lines: UInt64 = status.sources.reduce(0) { $0 + $1.read }
    let matched: UInt64 = status.sources.reduce(0) { $0 + $1.matched }
    var rows = [
      (name: "Lines read since the daemon started", value: grouped(lines)), ("of which matched", grouped(matched)),
      ("The daemon runs for", TimeSpan.seconds(Int64(status.uptime)).brief),
    ]
    if let seconds = processorTime(of: status.pid) {
      rows.append((name: "Processor time it took", value: TimeSpan.seconds(seconds).brief))
    }
    return rows
  }

  /// Seconds in user and system mode (proc_pid_stat(5), fields 14 and 15, which Linux counts in hundredths).
  private static func processorTime(of pid: Int32) -> Int64? {
    guard let stat = SmallFile.text("/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[name...].split(separator: " ")
    guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return nil }
    return (user + system) / 100
  }
}
