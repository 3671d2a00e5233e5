public import Model

/// A jail's limits: when failures become a ban, and for how long.
public struct Jail: Sendable, Equatable {
  /// What has a window of its own. There is none without an address: nobody is banned for what another one did.
  public enum Counting: String, Sendable, CaseIterable {
    case address
    /// Each account that an address tries, or uses.
    case user
    /// Each application of which an address wants something.
    case app
  }

  public var name: String
  /// A ban falls when this many (counted with their weights) lie within `findtime`; at least 1.
  public var maxretry: Int
  public var findtime: TimeSpan
  /// Nil: permanent.
  public var bantime: TimeSpan?
  public var increment: BanIncrement?
  /// Nil: blocks are never banned for what is in them.
  public var escalation: Escalation?
  /// How many leading bits of an address are one id.
  public var ipv4Prefix: UInt8
  public var ipv6Prefix: UInt8
  public var ignore: IgnoreList
  /// What is counted by itself; a ban is the address's in every case.
  public var per = Counting.address
  /// Are its failures stored? If not they are only counted, and a ban has the last ones as its evidence.
  public var isRecorded = true
  /// Do its windows come from the log after a restart? What they go by is not in the store then.
  public var readsLogBack: Bool { !isRecorded || per == .app }
  /// Which alerts it counts against their addresses; and the number of the pattern that stands for an alert.
  public var alertKinds: Set<Alert.Kind> = []
  public var alertPattern: UInt32 = 0
  /// Does it count the bans of the other jails? Then this is the number of the pattern that stands for a ban.
  public var banPattern: UInt32?

  public init(
    name: String, maxretry: Int = 5, findtime: TimeSpan = .minutes(10), bantime: TimeSpan? = .minutes(10),
    increment: BanIncrement? = nil, ipv4Prefix: UInt8 = 32, ipv6Prefix: UInt8 = 64, ignore: IgnoreList = IgnoreList()
  ) {
    self.name = name
    self.maxretry = maxretry
    self.findtime = findtime
    self.bantime = bantime
    self.increment = increment
    self.ipv4Prefix = ipv4Prefix
    self.ipv6Prefix = ipv6Prefix
    self.ignore = ignore
  }
}

/// How bans of an id that comes back grow: the n-th lasts `bantime × coefficient × factor^(n-1)`, or, with `multipliers`,
/// `bantime × coefficient × multipliers[n-1]` (the last one from then on); the first one lasts `bantime`; never longer than
/// `maxtime`, to which up to `rndtime` is added at random so that bans do not all end at once.
public struct BanIncrement: Sendable, Equatable {
  public var factor: Double
  public var coefficient: Double
  public var multipliers: [Double]
  public var maxtime: TimeSpan?
  public var rndtime: TimeSpan
  /// How long after the end of the last ban earlier ones count.
  public var forget: TimeSpan
  /// Do bans in other jails count as earlier bans of the id?
  public var overalljails: Bool

  public init(
    factor: Double = 2, coefficient: Double = 1, multipliers: [Double] = [], maxtime: TimeSpan? = nil,
    rndtime: TimeSpan = .zero, forget: TimeSpan = .hours(90 * 24), overalljails: Bool = false
  ) {
    self.factor = factor
    self.coefficient = coefficient
    self.multipliers = multipliers
    self.maxtime = maxtime
    self.rndtime = rndtime
    self.forget = forget
    self.overalljails = overalljails
  }
}

/// Addresses that are never counted.
public struct IgnoreList: Sendable, Equatable {
  public var subnets: [Subnet] { didSet { list = AddressList(subnets) } }
  /// The same, to be searched: an allow list may have thousands of entries.
  private var list: AddressList

  public init(_ subnets: [Subnet] = []) {
    self.subnets = subnets
    list = AddressList(subnets)
  }

  /// An address that a translator made of an IPv4 address is ignored with it.
  public func contains(_ address: Address) -> Bool {
    if list.holding(address) != nil { return true }
    guard let ipv4 = address.embeddedIPv4 else { return false }
    return list.holding(ipv4) != nil
  }

  /// An entry that a ban of this block would touch; nil: none.
  public func overlapping(_ subnet: Subnet) -> Subnet? {
    if let entry = list.overlapping(subnet) { return entry }
    guard subnet.isSingleAddress, let ipv4 = subnet.base.embeddedIPv4 else { return nil }
    return list.holding(ipv4)
  }
}
