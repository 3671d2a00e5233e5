internal import Model

/// Which names a client may call this server by. A page of somebody else's whose name was made to point here (DNS rebinding)
/// calls it by that name, and is refused.
struct HostCheck: Sendable {
  /// Names besides `localhost` and addresses, in small letters.
  var names: Set<String>

  init(_ names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

  func admits(_ host: String?) -> Bool {
    guard let host, !host.isEmpty else { return false }
    let name = Self.name(in: host.lowercased())
    // No name is resolved for an address, so nobody can make one point here.
    return name == "localhost" || Address(name) != nil || names.contains(name)
  }

  /// `example.org:8787`, `[2001:db8::1]:8787`: without the port, the brackets and a dot at the end.
  private static func name(in host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      return String(host[host.index(after: host.startIndex)..<end])
    }
    let name = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)[0]
    return String(name.hasSuffix(".") ? name.dropLast() : name)
  }
}
