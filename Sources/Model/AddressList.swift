/// Addresses and blocks, sorted and without overlap: what a list says, whatever way it is written.
///
/// ```swift
/// let list = AddressList(["198.51.100.0/24", "198.51.100.7", "2001:db8::/32"].compactMap { Subnet($0) })
/// list.entries.count                        // 2: the address is in the block
/// list.holding(Address("198.51.100.7")!)    // 198.51.100.0/24
/// ```
public struct AddressList: Sendable, Equatable {
  /// By their first address; none holds another.
  public let entries: [Subnet]

  public init(_ subnets: some Sequence<Subnet> = []) {
    // A block comes before what it holds: the same base and fewer bits, or an earlier base.
    let sorted = subnets.sorted()
    var entries: [Subnet] = []
    entries.reserveCapacity(sorted.count)
    for subnet in sorted where entries.last?.contains(subnet) != true { entries.append(subnet) }
    self.entries = entries
  }

  private init(sorted entries: [Subnet]) { self.entries = entries }

  public var isEmpty: Bool { entries.isEmpty }

  /// The entry that an address is in.
  public func holding(_ address: Address) -> Subnet? { holding(Subnet(address)) }

  /// The entry that holds all of `subnet`.
  public func holding(_ subnet: Subnet) -> Subnet? {
    let place = firstIndex(after: subnet.base)
    guard place > 0, entries[place - 1].contains(subnet) else { return nil }
    return entries[place - 1]
  }

  /// An entry that shares an address with `subnet`.
  public func overlapping(_ subnet: Subnet) -> Subnet? {
    if let entry = holding(subnet) { return entry }
    let place = firstIndex(after: subnet.base)
    if place > 0, subnet.contains(entries[place - 1]) { return entries[place - 1] }
    return place < entries.count && subnet.contains(entries[place]) ? entries[place] : nil
  }

  /// Without the entries that share an address with one of `others`.
  public func without(_ others: AddressList) -> AddressList {
    guard !others.isEmpty else { return self }
    return AddressList(sorted: entries.filter { others.overlapping($0) == nil })
  }

  /// What is in the one and not in the other, in one pass over both.
  public func difference(from old: AddressList) -> (added: [Subnet], removed: [Subnet]) {
    var (added, removed): ([Subnet], [Subnet]) = ([], [])
    var (new, before) = (0, 0)
    while new < entries.count || before < old.entries.count {
      guard new < entries.count else {
        removed += old.entries[before...]
        break
      }
      guard before < old.entries.count else {
        added += entries[new...]
        break
      }
      let (a, b) = (entries[new], old.entries[before])
      if a == b {
        new += 1
        before += 1
      } else if a < b {
        added.append(a)
        new += 1
      } else {
        removed.append(b)
        before += 1
      }
    }
    return (added, removed)
  }

  /// The place of the first entry whose base is higher than `address`.
  private func firstIndex(after address: Address) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].base <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
