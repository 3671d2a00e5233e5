import Model

extension NFTablesActuator {
  /// What becomes of one element.
  private struct ElementChange {
    /// Its place among the changes asked for.
    var index: Int
    var element: NFTablesTransaction.Element
    var kind: Kind

    enum Kind {
      /// It is known not to be there.
      case insert
      /// It may be there, with another end.
      case set
      /// It may not be there.
      case remove
    }
  }

  private struct SetKey: Hashable {
    var jail: String
    var width: TableLayout.Width
  }

  private struct ElementKey: Hashable {
    var set: SetKey
    var key: Address
  }

  /// - Parameter isNew: is the element of the addition at this index known not to be there?
  func apply(
    _ changes: [FirewallChange], isNew: (Int) -> Bool, now: Instant, _ client: inout NFTablesClient,
    _ state: inout State
  ) throws(FirewallError) -> [ChangeOutcome] {
    var outcomes = [ChangeOutcome](repeating: .applied, count: changes.count)
    var elements: [(set: SetKey, change: ElementChange)] = []
    // Of two changes to one address the later one counts.
    var latest: [ElementKey: Int] = [:]
    for (i, change) in changes.enumerated() {
      if let outcome = Self.outcome(of: change, now: now, state) {
        outcomes[i] = outcome
        continue
      }
      let set = SetKey(jail: change.jail, width: .init(change.subnet))
      let key = change.subnet.base
      let timeout = change.action == .add ? Self.timeout(until: change.until, now: now) ?? 0 : 0
      let kind: ElementChange.Kind = change.action == .remove ? .remove : isNew(i) ? .insert : .set
      let new = (set, ElementChange(index: i, element: .init(key: key, timeout: timeout), kind: kind))
      guard changes.count > 1 else {
        elements.append(new)
        continue
      }
      if let earlier = latest.updateValue(elements.count, forKey: ElementKey(set: set, key: key)) {
        // It keeps its place; what it may find there is what the first one was told.
        elements[earlier].change.element = new.1.element
        if kind == .remove || elements[earlier].change.kind != .insert { elements[earlier].change.kind = kind }
        latest[ElementKey(set: set, key: key)] = earlier
      } else {
        elements.append(new)
      }
    }
    try send(elements[...], &outcomes, &client, &state)
    // Those that were replaced by a later change share its fate.
    guard elements.count < changes.count else { return outcomes }
    for (i, change) in changes.enumerated() where outcomes[i] == .applied && change.refusal == nil {
      let set = SetKey(jail: change.jail, width: .init(change.subnet))
      let key = change.subnet.base
      if let place = latest[ElementKey(set: set, key: key)] { outcomes[i] = outcomes[elements[place].change.index] }
    }
    return outcomes
  }

  /// What is known without asking the kernel.
  private static func outcome(of change: FirewallChange, now: Instant, _ state: State) -> ChangeOutcome? {
    guard state.targets[change.jail] != nil else {
      return .failed(FirewallError(.setMissing, "the firewall knows no jail \(change.jail)"))
    }
    if let refusal = change.refusal { return .failed(refusal) }
    // Nothing is ever banned by no bits at all.
    if change.subnet.prefixLength == 0 { return .applied }
    if change.action == .add, timeout(until: change.until, now: now) == nil { return .expired }
    return nil
  }

  /// Milliseconds, rounded up, at most the ceiling; 0 is permanently; nil when the end has passed.
  static func timeout(until: Instant?, now: Instant) -> UInt64? {
    guard let until else { return 0 }
    let left = min(until.since(now), longestTimeout)
    guard left > .zero else { return nil }
    return UInt64((left.microseconds + 999) / 1000)
  }

  /// Sends them as one transaction. One that is refused is tried in halves, so that one change which cannot be made does not
  /// keep the others from being made.
  private func send(
    _ elements: ArraySlice<(set: SetKey, change: ElementChange)>, _ outcomes: inout [ChangeOutcome],
    _ client: inout NFTablesClient, _ state: inout State
  ) throws(FirewallError) {
    guard let first = elements.first else { return }
    var widths = state.widths
    var transaction = NFTablesTransaction()
    var sets: [SetKey: [ElementChange]] = [:]
    if elements.count == 1 {
      sets[first.set] = [first.change]
    } else {
      for (set, change) in elements { sets[set, default: []].append(change) }
    }
    for (set, changes) in sets {
      if widths[set.jail, default: []].insert(set.width).inserted, let target = state.targets[set.jail] {
        transaction.addSet(TableLayout.set(set.jail, set.width), isIPv4: set.width.isIPv4, size: maxElements)
        transaction.addRule(TableLayout.chain(set.jail), TableLayout.rule(for: target, set.width))
      }
      Self.write(changes, TableLayout.set(set.jail, set.width), set.width.isIPv4, to: &transaction)
    }
    do throws(FirewallError) {
      try client.commit(transaction)
    } catch  where error.code != .netlink || elements.count > 1 {
      guard elements.count > 1 else {
        outcomes[first.change.index] = .failed(error)
        return
      }
      let middle = elements.startIndex + elements.count / 2
      try send(elements[..<middle], &outcomes, &client, &state)
      try send(elements[middle...], &outcomes, &client, &state)
      return
    }
    guard widths != state.widths else { return }
    state.widths = widths
    state.written = try Self.snapshot(&client)
  }

  /// An element keeps its end when it is added again, and it cannot be removed when it is not there: so it is added,
  /// removed and added, which is right in either case and on every kernel, and nobody sees between the three.
  private static func write(
    _ changes: [ElementChange], _ set: String, _ isIPv4: Bool, to transaction: inout NFTablesTransaction
  ) {
    let unsure = changes.filter { $0.kind != .insert }.map(\.element)
    transaction.addElements(unsure, to: set, isIPv4: isIPv4)
    transaction.deleteElements(unsure, from: set, isIPv4: isIPv4)
    transaction.addElements(changes.filter { $0.kind != .remove }.map(\.element), to: set, isIPv4: isIPv4)
  }
}
