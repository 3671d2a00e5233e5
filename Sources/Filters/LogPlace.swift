/// Where a service writes unless it is told otherwise: which of a filter's places a jail with `backend: auto` reads.
public enum LogPlace: String, Sendable, Hashable, CaseIterable {
  /// Through syslog, or to its standard error under systemd: the journal has the lines, and syslog's files may have them too.
  case journal
  /// Files of its own. The journal has at most what it says as it starts.
  case files
  /// Files of its own, and the same lines to the journal.
  case both

  /// What paths tell, where a filter says nothing.
  public init(_ paths: [String]) { self = paths.contains(where: Self.isSyslog) ? .journal : .files }

  /// Is it a file that syslog daemons write (the names of Debian, Red Hat, SUSE, Alpine and the BSDs)?
  public static func isSyslog(_ path: String) -> Bool {
    guard path.hasPrefix("/var/log/") else { return false }
    return names.contains(path.dropFirst(9))
  }

  private static let names: Set<Substring> = [
    "syslog", "messages", "auth.log", "authlog", "secure", "mail.log", "mail", "maillog", "mail.info", "mail.warn",
    "mail.err",
    "daemon.log", "daemon", "user.log", "kern.log", "warn", "security", "ufw.log",
  ]
}
