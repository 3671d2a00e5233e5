internal import Model
internal import System

/// The names of /etc/hosts. getaddrinfo(3) looks there, too, but for a name with a dot at the end it finds none, and
/// without that dot the machine's search list would make other names of it.
enum HostsFile {
  /// - Parameter name: in lower case; a dot at its end does not matter.
  static func addresses(of name: String, path: String = "/etc/hosts") -> [Address] {
    guard let text = SmallFile.text(path) else { return [] }
    let wanted = name.hasSuffix(".") ? name.dropLast() : name[...]
    var found: [Address] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, words.dropFirst().contains(where: { $0.lowercased() == wanted }),
        let address = Address(first.prefix { $0 != "%" }), !found.contains(address)
      else { continue }
      found.append(address)
    }
    return found
  }
}
