internal import Glibc

/// Every followed file holds a descriptor, and so does every client of the socket.
enum FileLimit {
  /// Takes as many open files as this process may have (getrlimit(2)); the usual soft limit is only 1024.
  static func raise() {
    var limit = rlimit()
    // Safe: getrlimit(2) fills the struct, setrlimit(2) reads it.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    // When it is refused, the limit stays as it is.
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
