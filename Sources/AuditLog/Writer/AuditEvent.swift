public import Model

/// Something in the life of the daemon that is neither a failure nor a ban: who did what, or what went wrong. The audit
/// shows these under the kind `operator`.
public struct AuditEvent: Hashable, Sendable {
  public enum Action: String, Sendable, CaseIterable {
    case start
    /// Follows `start` in a dry run: what is decided until the next `start` is never carried out.
    case dryRun = "dry-run"
    /// Another version of the program than the one before has started; `subject` is the version, `detail` which it was.
    case updated
    case stop
    /// `detail` says what changed.
    case reload
    /// `subject` is the source.
    case sourceFailed = "source-failed"
    case sourceRecovered = "source-recovered"
    /// The firewall was found changed by somebody else and put right; `detail` says what was missing.
    case firewallRepaired = "firewall-repaired"
    /// `subject` is the pattern, `detail` the limit that it hit.
    case patternQuarantined = "pattern-quarantined"
    /// Failures that could not be stored and were released, as `on_full: shed` wants it; `detail` has the number.
    case shed
    /// A damaged store was moved away; `subject` is where to.
    case storeSetAside = "store-set-aside"
    /// The store was removed or replaced while it was written to; `subject` is where it was.
    case storeGone = "store-gone"
    /// A list blocks others than before; `subject` is its name, `detail` how many.
    case listChanged = "list-changed"
    /// A person used the control socket, and it was not a ban or unban (those are decisions).
    case command
    /// Old rows were removed; `detail` says which.
    case retention
    /// Something began to need a person, or no longer does; `subject` is the warning's name (`jail_dropped sshd`), `detail` its text.
    case warningRaised = "warning-raised"
    case warningCleared = "warning-cleared"
    /// Something that a person should look at: `subject` is the kind with the account and the address that it is about
    /// (`new-network alice 192.0.2.7`), `detail` a sentence.
    case alert
    /// Anything else worth keeping.
    case note
  }

  public var time: Instant
  public var action: Action
  /// The jail, source, pattern or file that it is about; empty when it is about the whole daemon.
  public var subject: String
  public var detail: String
  /// Who asked; nil when nobody did.
  public var uid: UInt32?
  /// The command as it was given.
  public var command: String

  public init(
    time: Instant, action: Action, subject: String = "", detail: String = "", uid: UInt32? = nil, command: String = ""
  ) {
    self.time = time
    self.action = action
    self.subject = subject
    self.detail = detail
    self.uid = uid
    self.command = command
  }
}

extension AuditEvent {
  /// The row of an alert among the events.
  init(_ alert: Alert) {
    let about = [alert.kind.rawValue, alert.user, alert.address?.description ?? ""].filter { !$0.isEmpty }
    self.init(time: alert.time, action: .alert, subject: about.joined(separator: " "), detail: alert.text)
  }
}
