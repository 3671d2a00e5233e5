import Foundation
import TestSupport

@testable import Firewall

/// A machine with 10.77.0.1 and fd77::1 that publishes port 8080 of a container (172.31.0.2, fd31::2, port 80) and redirects
/// its own port 9090 to 90, as Docker and port forwarding do; and a client with 10.77.0.2 to .5 and fd77::2 to ::5.
struct Publisher: Sendable {
  let hosts: TwoHosts
  let container: NetworkNamespace
  var host: NetworkNamespace { hosts.server }
  var client: NetworkNamespace { hosts.client }

  init() throws {
    hosts = try TwoHosts()
    container = try NetworkNamespace()
    let peer = container.threadNumber
    try hosts.server.run {
      try shell("ip link add vd type veth peer name vk")
      try shell("ip link set vk netns \(peer)")
      try shell("ip addr add 172.31.0.1/24 dev vd")
      try shell("ip addr add fd31::1/64 dev vd nodad")
      try shell("ip link set vd up")
      // In the thread's own namespace.
      try shell("sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
      for (program, target) in [("iptables", "172.31.0.2:80"), ("ip6tables", "[fd31::2]:80")] {
        // Not for what the container sends itself, as Docker has it.
        for transport in ["tcp", "udp"] {
          try shell(
            "\(program) -t nat -A PREROUTING ! -i vd -p \(transport) --dport 8080 -j DNAT --to-destination \(target)")
        }
        try shell("\(program) -t nat -A PREROUTING -p tcp --dport 9090 -j REDIRECT --to-ports 90")
        // What Docker lets through comes before what others append.
        try shell("\(program) -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
        try shell("\(program) -A FORWARD -o vd -j ACCEPT")
      }
    }
    try container.run {
      try shell("ip addr add 172.31.0.2/24 dev vk")
      try shell("ip addr add fd31::2/64 dev vk nodad")
      try shell("ip link set vk up")
      try shell("ip route add default via 172.31.0.1")
      try shell("ip -6 route add default via fd31::1")
    }
  }

  func close() {
    container.close()
    hosts.close()
  }
}
