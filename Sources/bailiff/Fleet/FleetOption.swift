import ArgumentParser
import Cryptography
import Fleet
import Glibc
import Model
import Settings
import System

/// `--fleet`, for what goes to all servers of the fleet.
struct FleetOption: ParsableArguments {
  @Flag(name: .customLong("fleet"), help: "On every server of the fleet, signed with your key.")
  var isFleet = false

  /// Signs orders and gives them to the fleet. Returns their numbers.
  func give(_ orders: [Order], _ config: ConfigOptions) throws {
    let fleet = try config.fleet()
    guard let file = fleet.operatorKey else {
      throw CommandFailure(
        .usage, "`fleet` has no `operator_key`; make one: bailiff fleet key /root/fleet-operator.key")
    }
    let key = try SigningKey(file: file)
    guard fleet.operators.contains(Base64URL.text(key.publicKey)) else {
      throw CommandFailure(
        .usage,
        "`operators` of `fleet` does not have the key in \(file): no server would obey; add "
          + Base64URL.text(key.publicKey))
    }
    let streams = try config.streams()
    var output = Output()
    for order in orders {
      let number = try failing { () throws(FleetError) in
        try streams.give(SignedOrder(order, by: key), by: fleet.name)
      }
      output.line("told the fleet: \(order.action) \(order.id) (\(number))")
    }
    output.flush()
  }

  static func order(
    _ action: Order.Action, _ id: String, jail: String? = nil, for length: TimeSpan? = nil, why: String = ""
  ) throws -> Order {
    guard let subnet = Subnet(id), subnet.prefixLength > 0 else {
      throw CommandFailure(.usage, "`\(printable(id))` is no address; give one, or a block such as 192.0.2.0/24")
    }
    let now = SystemClock.now()
    let user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "uid \(getuid())"
    return Order(
      action, id: subnet, jail: jail, until: length.map { now.adding($0).seconds }, time: now.seconds,
      by: "\(user)@\(LocalHost.name)", why: why)
  }
}
