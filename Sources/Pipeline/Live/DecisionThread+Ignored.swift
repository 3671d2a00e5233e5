internal import Detection
internal import Model
internal import System

/// Who is spared: what `ignoreip` names, and whom people allow.
extension DecisionThread {
  /// Asks again what the names and lists of `ignoreip` represent.
  func refreshIgnored() {
    lastIgnored = SystemClock.now()
    let changed = ignored.refresh(plan, hosts.resolver) { [queue] in
      queue.postUrgent(.command(.refreshIgnored))
    } onFailure: { [queue] name in
      queue.postUrgent(.command(.noteUnresolved(name)))
    }
    if let changed {
      resolved = changed
      ignore()
    }
    warnOfUnresolved()
  }

  /// Has every jail spare what `ignoreip` names and what is allowed.
  func ignore() {
    let allowed = lists.allowed.entries
    detector.ignore(plan.jailNames.indices.map { ($0 < resolved.count ? resolved[$0] : []) + allowed })
  }

  func noteUnresolved(_ name: String) {
    ignored.note(failed: name)
    warnOfUnresolved()
  }

  private func warnOfUnresolved() {
    let found = ignored.unresolved.map {
      ($0, "it has no address, so nothing is ignored for it: correct it in `ignoreip`, or mend the resolver")
    }
    warnings.set(.namesUnresolved, to: found, at: SystemClock.now())
  }
}
