import CSystemd

/// What systemd is told about the daemon's state (sd_notify(3)); nothing happens when it was not systemd that started it.
enum ServiceManager {
  static func ready(_ status: String) { notify("READY=1\nSTATUS=\(status)") }

  static func status(_ status: String) { notify("STATUS=\(status)") }

  static func stopping() { notify("STOPPING=1") }

  private static func notify(_ state: String) {
    // Safe: the text is read during the call.
    _ = unsafe sd_notify(0, state)
  }
}
