import TestSupport

@testable import Firewall

/// Runs a command (split at spaces) in the calling thread's namespace; throws when it fails.
@discardableResult
func shell(_ command: String, input: String = "") throws -> String {
  let words = command.split(separator: " ").map(String.init)
  return try Programs().run(words[0], Array(words.dropFirst()), input: input)
}

/// A server with 10.77.0.1 and fd77::1, and a client with 10.77.0.2 to .5 and fd77::2 to ::5, on one link.
struct TwoHosts: Sendable {
  let server: NetworkNamespace
  let client: NetworkNamespace

  init() throws {
    server = try NetworkNamespace()
    client = try NetworkNamespace()
    let peer = client.threadNumber
    try server.run {
      try shell("ip link add vs type veth peer name vc")
      try shell("ip link set vc netns \(peer)")
      try shell("ip addr add 10.77.0.1/24 dev vs")
      try shell("ip addr add fd77::1/64 dev vs nodad")
      try shell("ip link set vs up")
    }
    try client.run {
      for i in 2...5 {
        try shell("ip addr add 10.77.0.\(i)/24 dev vc")
        try shell("ip addr add fd77::\(i)/64 dev vc nodad")
      }
      try shell("ip link set vc up")
    }
  }

  func close() {
    client.close()
    server.close()
  }
}
