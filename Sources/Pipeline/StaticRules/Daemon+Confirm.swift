internal import AuditLog
internal import Firewall
public import Model
internal import Settings
internal import Synchronization
internal import System

/// How settings are to be taken over.
public struct ReloadOptions: Sendable {
  /// After this time the settings before are in force again, unless somebody confirms.
  public var confirm: TimeSpan?
  /// Also where that locks somebody out.
  public var force = false
  /// Where the session comes from that asks, and to which port.
  public var session: (address: Address, port: UInt16?)?
  /// Who asks, for the activities.
  public var user = ""
  /// In place of what the files say: settings that were in force before.
  var settings: Settings?

  public init(confirm: TimeSpan? = nil, force: Bool = false, session: (address: Address, port: UInt16?)? = nil) {
    self.confirm = confirm
    self.force = force
    self.session = session
  }
}

/// Settings that are taken back unless somebody confirms them.
struct UnconfirmedReload: Sendable {
  /// What was in force before the first reload that nobody confirmed.
  var before: Settings
  var deadline: Instant
  var timer: Task<Void, Never>
}

extension Daemon {
  /// Nobody who is logged in, and least of all who asks, is to find the door shut next time.
  func requireNoLockout(_ settings: Settings, old: Settings, _ request: ReloadOptions) throws {
    guard !request.force, request.settings == nil, firewall.changesKernel else { return }
    let rules = StaticRule.rules(of: settings)
    guard !rules.isEmpty, rules != StaticRule.rules(of: old) || settings.lists != old.lists else { return }
    // A list that is new has not been read yet: it is read for this question.
    let keeper = ListKeeper(settings, allowances: allowances)
    let check = LockoutCheck(rules: rules, lists: { keeper.list($0) }, allowed: keeper.held.allowed)
    if let objection = check.objection(caller: request.session, sparing: settings.protectSessions.spared) {
      throw DaemonError(
        "these settings lock somebody out: \(objection)",
        remedy: "name that address in `from`, or give --force, best with --confirm 60s")
    }
  }

  /// Puts the settings before in force again when the time is over. A reload without `confirm` in between (logrotate's, say)
  /// confirms nothing.
  func revertUnlessConfirmed(to old: Settings, _ request: ReloadOptions) {
    guard let confirm = request.confirm else { return }
    let earlier = takeUnconfirmedReload()
    earlier?.timer.cancel()
    let before = earlier?.before ?? old
    let timer = Task { [weak self] in
      do { try await Task.sleep(for: .microseconds(confirm.microseconds)) } catch { return }
      await self?.revert()
    }
    unconfirmedReload.withLock {
      $0 = UnconfirmedReload(before: before, deadline: SystemClock.now().adding(confirm), timer: timer)
    }
  }

  private func takeUnconfirmedReload() -> UnconfirmedReload? {
    unconfirmedReload.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
  }

  /// When the settings before are in force again unless somebody confirms those of now; nil: nothing waits for that.
  public var confirmReloadBy: Instant? { unconfirmedReload.withLock { $0?.deadline } }

  private func revert() async {
    guard let waiting = takeUnconfirmedReload() else { return }
    var request = ReloadOptions(force: true)
    request.settings = waiting.before
    do {
      _ = try await reload(uid: 0, request)
      let sentence = "a reload was not confirmed in time: the settings before it are in force again"
      log.warning(sentence)
      writer.event(.note, subject: "settings", detail: sentence)
      warnings.raise(
        .settingsNotLoaded, "the settings on disk are not in force: their reload was not confirmed in time",
        at: SystemClock.now())
    } catch {
      log.error("the settings before the last reload cannot be put in force again: \(error)")
    }
  }

  /// Keeps what was reloaded; false when nothing waits to be confirmed.
  public func confirmReload(uid: UInt32, command: String) -> Bool {
    guard let waiting = takeUnconfirmedReload() else { return false }
    waiting.timer.cancel()
    writer.event(.command, subject: "settings", uid: uid, command: command)
    return true
  }
}
