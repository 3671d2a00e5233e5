public import Model

/// What is asked of a list before it is taken over: a mistake of whoever publishes it must not cut off this machine or half of
/// the world.
public struct ListCheck: Sendable {
  /// This machine's addresses, its gateways and resolvers.
  public var own: Set<Address>
  /// Whatever a blocklist says, these are not blocked.
  public var allowed: AddressList
  /// Entries of private networks are left out; without it the list is refused for them.
  public var leavesOutPrivate: Bool
  /// Single entries that no list should hold are left out, and it may lose as many as it likes: of decisions, which come and go.
  public var isOfDecisions: Bool

  public init(
    own: Set<Address> = [], allowed: AddressList = AddressList(), leavesOutPrivate: Bool = false,
    isOfDecisions: Bool = false
  ) {
    self.own = own
    self.allowed = allowed
    self.leavesOutPrivate = leavesOutPrivate
    self.isOfDecisions = isOfDecisions
  }

  /// A list that has lost more than nine tenths of its entries is half of a list.
  public static let leastRest = 10
  /// Shorter lists may lose them.
  public static let smallest = 100
  /// The widest blocks that a blocklist may hold.
  public static let widestIPv4: UInt8 = 8
  public static let widestIPv6: UInt8 = 16

  /// Private, local and reserved networks (RFC 6890): nobody comes from there but one's own.
  public static let privateNetworks = AddressList(
    [
      "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
      "224.0.0.0/4", "240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8",
    ].compactMap { Subnet($0) })

  /// What is blocked of `list`.
  /// - Parameter before: what it was, where it is known.
  /// - Throws: why it is refused as a whole, with the remedy.
  public func blockable(_ list: AddressList, before: AddressList? = nil) throws(ListProblem) -> AddressList {
    let here = AddressList(own.map { Subnet($0) })
    guard !isOfDecisions else {
      let narrow = list.entries.filter { !Self.isWide($0) && here.overlapping($0) == nil }
      return AddressList(narrow).without(Self.privateNetworks).without(allowed)
    }
    try shrinks(list, before)
    if let wide = list.entries.first(where: Self.isWide) {
      throw ListProblem("it holds \(wide), which is wider than any list should block")
    }
    var admitted = list
    if leavesOutPrivate {
      admitted = list.without(Self.privateNetworks)
    } else if let entry = list.entries.first(where: { Self.privateNetworks.overlapping($0) != nil }) {
      throw ListProblem("it holds \(entry), a private network; `private: leave-out` takes the rest of the list")
    }
    if let entry = admitted.entries.first(where: { here.overlapping($0) != nil }) {
      throw ListProblem("it holds \(entry), in which this machine, its gateway or its name server is")
    }
    return admitted.without(allowed)
  }

  private static func isWide(_ entry: Subnet) -> Bool {
    entry.prefixLength < (entry.isIPv4 ? widestIPv4 : widestIPv6)
  }

  /// What an allow list spares.
  public func allowable(_ list: AddressList, before: AddressList? = nil) throws(ListProblem) -> AddressList {
    try shrinks(list, before)
    if let wide = list.entries.first(where: { $0.prefixLength == 0 }) {
      throw ListProblem("it holds \(wide), which would spare everybody")
    }
    return list
  }

  private func shrinks(_ list: AddressList, _ before: AddressList?) throws(ListProblem) {
    guard let before, before.entries.count >= Self.smallest,
      list.entries.count * Self.leastRest < before.entries.count
    else { return }
    throw ListProblem(
      "it has \(list.entries.count) entries, of \(before.entries.count) before; if that is right, `bailiff lists --accept` takes it over"
    )
  }
}
