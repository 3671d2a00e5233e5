internal import Model
internal import System

/// An ACL of a running haproxy, changed by its runtime socket (haproxy's management guide, 9.3, "show acl", "add acl", "del acl"); its
/// file holds the same, for the next start.
struct HAProxyEdge: Edge {
  let socket: String
  let acl: String

  /// Commands a line; haproxy's buffer has 16 KiB.
  private static let batch = 100

  func hold(_ bans: [Subnet]) throws(DeliveryError) -> String {
    let wanted = Set(bans)
    let held = try self.held()
    let changes =
      held.subtracting(wanted).map { "del acl \(acl) \($0)" } + wanted.subtracting(held).map { "add acl \(acl) \($0)" }
    for start in stride(from: 0, to: changes.count, by: Self.batch) {
      let answer = try ask(changes[start..<min(start + Self.batch, changes.count)].joined(separator: ";"))
      if let complaint = answer.split(separator: "\n").first {
        throw .unreachable("haproxy: \(printable(String(complaint.prefix(200))))")
      }
    }
    let text = Array(bans.map { "\($0)\n" }.joined().utf8)
    if (try? SmallFile.read(acl, limit: 256 << 20)) != text {
      do { try SmallFile.replace(acl, with: text, mode: 0o644) } catch { throw .unreachable("\(error)") }
    }
    return "\(counted(bans.count, "ban")) in haproxy's ACL, \(changes.count) changed"
  }

  /// `0x55d2c0 192.0.2.7`, an entry a line.
  private func held() throws(DeliveryError) -> Set<Subnet> {
    var held: Set<Subnet> = []
    for line in try ask("show acl \(acl)").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, words[0].hasPrefix("0x"), let subnet = Subnet(words[1]) else {
        throw .unreachable("haproxy: \(printable(String(line.prefix(200))))")
      }
      held.insert(subnet)
    }
    return held
  }

  private func ask(_ command: String) throws(DeliveryError) -> String {
    do throws(SystemError) {
      return String(decoding: try StreamSocket.ask(socket, Array((command + "\n").utf8)), as: UTF8.self)
    } catch { throw .unreachable("haproxy: \(error)") }
  }
}
