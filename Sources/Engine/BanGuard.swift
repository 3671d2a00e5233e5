internal import Model

/// Keeps operators from banning themselves or half the world by a slip; `--force` passes.
enum BanGuard {
  static func check(_ subnet: Subnet, session: Address?) throws(DaemonError) {
    let narrowest: UInt8 = subnet.isIPv4 ? 16 : 32
    guard subnet.prefixLength >= narrowest else {
      throw DaemonError(
        "\(subnet) is wider than /\(narrowest)", remedy: "give --force if that many addresses are meant")
    }
    if let session, subnet.contains(session) {
      throw DaemonError(
        "\(subnet) holds \(session), from which you are logged in", remedy: "give --force if you can get in another way"
      )
    }
    for own in OwnAddresses.interfaces() where subnet.contains(own) {
      throw DaemonError("\(subnet) holds \(own), an address of this machine", remedy: "give --force if that is meant")
    }
  }
}
