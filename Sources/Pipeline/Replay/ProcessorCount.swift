internal import Glibc
internal import System

/// How many cores this process may run on, which may be fewer than the machine has (sched_setaffinity(2), cpuset(7)).
enum ProcessorCount {
  static let available: Int = {
    let status = SmallFile.text("/proc/thread-self/status") ?? ""
    return allowed(status) ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }()

  /// The bits of proc_pid_status(5)'s `Cpus_allowed: ff,ffffffff`; nil where there are none.
  static func allowed(_ status: String) -> Int? {
    for line in status.split(separator: "\n") where line.hasPrefix("Cpus_allowed:") {
      let count = line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
      return count > 0 ? count : nil
    }
    return nil
  }
}
