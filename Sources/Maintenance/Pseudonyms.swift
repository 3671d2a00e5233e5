internal import Model

/// Replaces addresses, names of machines, mail addresses and users in text that is meant for strangers: the same one by the same word
/// throughout, so that what belongs together still shows.
///
/// ```swift
/// var pseudonyms = Pseudonyms(hosts: ["web1"], users: ["alice"])
/// pseudonyms.replacing("web1 sshd: alice from 203.0.113.7, 203.0.113.7/32")   // <host-1> sshd: <user-1> from <address-1>, <address-1>/32
/// ```
///
/// Names without a dot are replaced where they are known, since any word might be one.
public struct Pseudonyms: Sendable {
  private var words: [String: String] = [:]
  private var counts: [String: Int] = [:]

  /// - Parameters:
  ///   - hosts: names of this machine; also without their domain.
  ///   - users: names of its people.
  public init(hosts: [String], users: [String]) {
    for host in hosts {
      for name in [host, String(host.split(separator: ".").first ?? "")] where !name.isEmpty && name != "localhost" {
        remember(name, as: "host")
      }
    }
    for user in users { remember(user, as: "user") }
  }

  public mutating func replacing(_ text: String) -> String {
    var result = ""
    var token = ""
    for character in text {
      if Self.isPartOfName(character) {
        token.append(character)
      } else {
        result += replacingToken(token)
        result.append(character)
        token = ""
      }
    }
    return result + replacingToken(token)
  }

  private static func isPartOfName(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || ".:-_@%".contains(character))
  }

  private mutating func replacingToken(_ token: String) -> String {
    guard !token.isEmpty else { return "" }
    if let word = words[token.lowercased()] { return word }
    if let address = replacingAddress(token) { return address }
    // A full stop or a colon behind a name belongs to the sentence; a word may be `name:port` or `key:name`.
    for separator in ["@", "%", ":"] as [Character] {
      guard let at = token.lastIndex(of: separator) else { continue }
      let (first, rest) = (String(token[..<at]), String(token[token.index(after: at)...]))
      if separator == "@", !first.isEmpty, rest.contains(".") { return word(for: token, as: "mail") }
      return replacingToken(first) + String(separator) + replacingToken(rest)
    }
    if token.hasSuffix(".") { return replacingToken(String(token.dropLast())) + "." }
    return replacingDomain(token)
  }

  private mutating func replacingAddress(_ token: String) -> String? {
    guard let address = Address(token) else { return nil }
    // 127.0.0.1, ::1, 0.0.0.0 and :: are everybody's.
    let isEverybodys = token.hasPrefix("127.") || ["::1", "::", "0.0.0.0"].contains(address.description)
    return isEverybodys ? token : word(for: address.description, as: "address")
  }

  /// `example.org` and `example.org.access.log`, but not `auth.log`.
  private mutating func replacingDomain(_ token: String) -> String {
    var labels = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    var endings: [String] = []
    while let last = labels.last, Self.fileEndings.contains(last.lowercased()) || last.allSatisfy(\.isNumber) {
      endings.insert(last, at: 0)
      labels.removeLast()
    }
    guard labels.count > 1, let last = labels.last, last.count > 1, last.allSatisfy(\.isLetter), !labels.contains("")
    else {
      return token
    }
    return ([word(for: labels.joined(separator: "."), as: "name")] + endings).joined(separator: ".")
  }

  /// What files and units end in; none of them is in the root zone but `zip`, which nobody is named by.
  private static let fileEndings: Set<String> = [
    "access", "conf", "db", "d", "err", "error", "gz", "journal", "json", "local", "log", "out", "path", "scope",
    "service", "shm",
    "slice", "sock", "socket", "sqlite3", "target", "text", "timer", "txt", "wal", "xz", "yaml", "yml", "zst",
  ]

  private mutating func word(for name: String, as kind: String) -> String {
    remember(name, as: kind)
    return words[name.lowercased()]!
  }

  private mutating func remember(_ name: String, as kind: String) {
    guard words[name.lowercased()] == nil else { return }
    counts[kind, default: 0] += 1
    words[name.lowercased()] = "<\(kind)-\(counts[kind]!)>"
  }
}
