internal import CMaxMindDB
public import Model

/// The addresses of countries and networks, for the firewall.
extension GeoDatabase {
  /// All blocks of these countries (codes in capitals), those side by side joined.
  /// - Throws: when the database has no countries, or not one of these.
  public func subnets(countries: Set<String>) throws(GeoProblem) -> [Subnet] {
    try subnets(of: countries, "countries", "country") { [self] in country(ofRecord: $0) }
  }

  /// All blocks of these autonomous systems.
  /// - Throws: when the database has no networks, or not one of these.
  public func subnets(networks: Set<UInt32>) throws(GeoProblem) -> [Subnet] {
    try subnets(of: networks, "networks", "network") { [self] in network(ofRecord: $0) }
  }

  private func subnets<Name: Hashable & Comparable>(
    of wanted: Set<Name>, _ many: String, _ one: String, name: (UInt32) -> Name?
  ) throws(GeoProblem) -> [Subnet] {
    var missing = wanted
    var hasNames = false
    var walk = GeoTreeWalk(self)
    try walk.run { record in
      guard let found = name(record) else { return false }
      hasNames = true
      guard wanted.contains(found) else { return false }
      missing.remove(found)
      return true
    }
    guard hasNames else { throw GeoProblem("\(path) has no \(many): it is a database of type \(type)") }
    if !missing.isEmpty {
      let names = missing.sorted().map { "\($0)" }.joined(separator: ", ")
      throw GeoProblem("\(path) knows no \(missing.count == 1 ? one : many) \(names)")
    }
    return walk.found
  }
}

/// One pass over a database's tree: each bit of an address goes left or right until a record is reached.
///
/// IPv4 lies under ::/96 of an IPv6 tree. The same nodes are often reached under ::ffff:0:0/96, 2002::/16 (6to4) and 2001::/32
/// (Teredo) too (MaxMind DB format specification, "IPv4 addresses in an IPv6 tree"): they are taken once, as IPv4.
struct GeoTreeWalk {
  private(set) var found: [Subnet] = []

  private let database: GeoDatabase
  /// Nil: no IPv4 below a node of its own.
  private let ipv4Start: UInt32?
  private let isIPv6: Bool
  /// Records that were asked about; many blocks share one.
  private var known: [UInt32: Bool] = [:]
  /// A tree has so many nodes; a file whose nodes lead in circles is none.
  private var nodesLeft: UInt32

  private static let mapped: UInt128 = 0xFFFF << 32

  init(_ database: GeoDatabase) {
    self.database = database
    // Safe: plain numbers of an open database.
    let raw = unsafe database.raw.pointee
    nodesLeft = unsafe raw.metadata.node_count
    isIPv6 = unsafe raw.metadata.ip_version == 6
    let start = unsafe isIPv6 ? raw.ipv4_start_node.node_value : 0
    ipv4Start = start < nodesLeft ? start : nil
  }

  /// - Parameter wants: does it want the blocks of this record?
  mutating func run(_ wants: (UInt32) -> Bool) throws(GeoProblem) {
    if let ipv4Start, try walk(ipv4Start, 96, Self.mapped, wants) { take(Self.mapped, 96) }
    if isIPv6, try walk(0, 0, 0, wants) { take(0, 0) }
  }

  /// The blocks below a node; true when all of it is wanted, which the caller joins with the other half or takes.
  private mutating func walk(
    _ number: UInt32, _ depth: Int, _ bits: UInt128, _ wants: (UInt32) -> Bool
  ) throws(GeoProblem) -> Bool {
    guard nodesLeft > 0, depth < 128 else { throw damaged }
    nodesLeft -= 1
    // Safe: filled by the call.
    var node = unsafe MMDB_search_node_s()
    guard unsafe database.library.functions.read_node(database.raw, number, &node) == MMDB_SUCCESS else {
      throw damaged
    }
    let half = UInt128(1) << UInt128(127 - depth)
    let left = try unsafe side(
      node.left_record, node.left_record_type, node.left_record_entry.offset, depth + 1, bits, wants)
    let right = try unsafe side(
      node.right_record, node.right_record_type, node.right_record_entry.offset, depth + 1, bits | half, wants)
    if left, right, depth >= Self.widest(bits) { return true }
    if left { take(bits, depth + 1) }
    if right { take(bits | half, depth + 1) }
    return false
  }

  private mutating func side(
    _ record: UInt64, _ type: UInt8, _ offset: UInt32, _ depth: Int, _ bits: UInt128, _ wants: (UInt32) -> Bool
  ) throws(GeoProblem) -> Bool {
    switch Int32(type) {
    case MMDB_RECORD_TYPE_SEARCH_NODE:
      guard let node = UInt32(exactly: record) else { throw damaged }
      if isIPv6, node == ipv4Start { return false }
      return try walk(node, depth, bits, wants)
    case MMDB_RECORD_TYPE_EMPTY: return false
    case MMDB_RECORD_TYPE_DATA:
      if let answer = known[offset] { return answer }
      let answer = wants(offset)
      known[offset] = answer
      return answer
    default: throw damaged
    }
  }

  /// Adds a block, in pieces where it is wider than any list may hold.
  private mutating func take(_ bits: UInt128, _ depth: Int) {
    let widest = Self.widest(bits)
    guard depth < widest else {
      found.append(Subnet(Address(bits: bits), length: UInt8(depth)))
      return
    }
    for piece in 0..<(1 << (widest - depth)) {
      found.append(Subnet(Address(bits: bits | UInt128(piece) << UInt128(128 - widest)), length: UInt8(widest)))
    }
  }

  /// /8 of IPv4, /16 of IPv6: what `ListCheck` takes for the widest block of a list.
  private static func widest(_ bits: UInt128) -> Int { bits >> 32 == 0xFFFF ? 104 : 16 }

  private var damaged: GeoProblem { GeoProblem("\(database.path) is damaged: its tree leads nowhere") }
}
