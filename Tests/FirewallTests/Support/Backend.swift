import Glibc
import Model
import System

@testable import Firewall

/// The backends that change the kernel: what a test says of one holds for both.
enum Backend: String, CaseIterable {
  case ipset, nftables

  func make() -> any Actuator {
    switch self {
    case .ipset: IPSetActuator()
    case .nftables: NFTablesActuator()
    }
  }

  func make(faults: FaultInjector? = nil, maxElements: UInt32 = IPSetActuator.defaultMaxElements) -> any Actuator {
    switch self {
    case .ipset:
      IPSetActuator(directories: Program.systemDirectories, faults: faults, maxElements: maxElements)
    case .nftables: NFTablesActuator(faults: faults, maxElements: maxElements)
    }
  }
}

let ssh = FirewallTarget(jail: "sshd", ports: .ranges([22...22, 2222...2230]))
let everything = FirewallTarget(jail: "recidive", ports: .all)

/// What iptables calls INPUT, and the host's path elsewhere.
func hostPlan(_ targets: FirewallTarget...) -> FirewallPlan { FirewallPlan(targets, paths: [.host], chains: ["INPUT"]) }

func now() -> Instant {
  var time = timespec()
  // Safe: writes to a local.
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
}

func ban(_ jail: String, _ id: String, for seconds: Int64? = 600) -> Ban {
  let time = now()
  return Ban(
    jail: jail, identity: Identity(id), since: time, until: seconds.map { time.adding(.seconds($0)) }, count: 5,
    number: 1,
    applied: true)
}

func add(_ jail: String, _ id: String, for seconds: Int64? = 600) -> FirewallChange {
  FirewallChange(.add, jail: jail, subnet: Subnet(id)!, until: seconds.map { now().adding(.seconds($0)) })
}

func remove(_ jail: String, _ id: String) -> FirewallChange { FirewallChange(.remove, jail: jail, subnet: Subnet(id)!) }
