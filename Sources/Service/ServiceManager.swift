internal import CSystemd

/// What systemd is told about the daemon's state (sd_notify(3)); nothing happens when it was not systemd that started it.
enum ServiceManager {
  static func ready(_ status: String) { notify("READY=1\nSTATUS=\(status)") }

  static func status(_ status: String) { notify("STATUS=\(status)") }

  static func stopping() { notify("STOPPING=1") }

  /// Tells the watchdog that the daemon is well; does nothing where the unit has none (`WatchdogSec=`).
  static func isAlive() { if hasWatchdog { notify("WATCHDOG=1") } }

  private static let hasWatchdog = sd_watchdog_enabled(0, nil) > 0

  private static func notify(_ state: String) {
    // Safe: the text is read during the call.
    _ = unsafe sd_notify(0, state)
  }
}
