internal import Model
internal import Settings
internal import System

/// What Bailiff itself tells of those who are let in: changes of its settings.
extension Daemon {
  /// More values than this are one row.
  private static let mostChanges = 50
  private static let names = Names(
    jails: ["bailiff"], patterns: [PatternName(filter: "bailiff", name: "settings-changed", file: "")],
    sources: ["reload"])

  /// Each value that a reload has changed, as an activity `change`.
  /// - Parameter user: who asked for it; empty: a signal.
  func tell(of changes: [EffectiveSettings.Difference], in settings: Settings, by user: String) {
    guard settings.activity, !changes.isEmpty else { return }
    var batch = FailureBatch()
    let now = SystemClock.now()
    func add(_ target: String, _ detail: String) {
      var activity = Activity(time: now, event: .change, address: nil, jail: 0, pattern: 0, source: 0)
      activity.user = batch.store(Array(user.utf8).span)
      activity.target = batch.store(Array(target.utf8).span)
      activity.detail = batch.store(Array(detail.utf8).span)
      activity.line = batch.store(Array("\(target): \(detail)".utf8).span)
      batch.append(activity)
    }
    for change in changes.prefix(Self.mostChanges) {
      add(
        change.path.joined(separator: "."), "\(change.before?.text ?? "not set") → \(change.after?.text ?? "not set")")
    }
    if changes.count > Self.mostChanges { add("settings", "\(changes.count - Self.mostChanges) more values") }
    writer.commit(batch, names: Self.names, decisions: [], applied: [], at: now)
  }
}
