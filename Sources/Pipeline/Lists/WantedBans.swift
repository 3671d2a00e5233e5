internal import Model

/// What the firewall is to hold: the bans in force, and the entries of lists as bans without an end. Those are made one by one,
/// since there may be millions.
struct WantedBans: Sequence {
  var bans: [Ban]
  var lists: HeldLists
  /// Since when the entries of lists are said to be banned.
  var since: Instant

  struct Iterator: IteratorProtocol {
    fileprivate var bans: IndexingIterator<[Ban]>
    fileprivate var lists: Dictionary<String, AddressList>.Iterator
    fileprivate var list: (name: String, entries: IndexingIterator<[Subnet]>)?
    fileprivate let since: Instant

    mutating func next() -> Ban? {
      if let ban = bans.next() { return ban }
      while true {
        if let name = list?.name, let entry = list?.entries.next() {
          return Ban(
            jail: name, identity: .network(entry), since: since, until: nil, count: 0, number: 1, applied: true)
        }
        guard let next = lists.next() else { return nil }
        list = (next.key, next.value.entries.makeIterator())
      }
    }
  }

  func makeIterator() -> Iterator {
    Iterator(bans: bans.makeIterator(), lists: lists.blocked.makeIterator(), since: since)
  }
}
