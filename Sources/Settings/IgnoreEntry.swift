public import Model

/// One entry of `ignoreip`. Names and files are kept as they are: what they mean changes while the daemon runs, so the
/// engine resolves and reads them again from time to time.
public enum IgnoreEntry: Hashable, Sendable {
  case subnet(Subnet)
  /// A DNS name.
  case name(String)
  /// `file:/path`: a list with an entry a line, `#` begins a comment.
  case file(String)

  /// Nil, with the reason, when `text` is none of them.
  public static func parse(_ text: String) -> Result<IgnoreEntry, IgnoreEntryError> {
    if let subnet = Subnet(text) { return .success(.subnet(subnet)) }
    if text.hasPrefix("file:") {
      let path = text.dropFirst(5)
      guard path.hasPrefix("/") else {
        return .failure(IgnoreEntryError("\(quoted(text)) needs an absolute path", remedy: "write file:/path/to/list"))
      }
      return .success(.file(String(path)))
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count > 1, let address = Address(parts[0]) {
      return .failure(
        IgnoreEntryError(
          "\(quoted(text)) is no CIDR", remedy: "after the slash stands a number from 0 to \(address.isIPv4 ? 32 : 128)"
        ))
    }
    if isName(text) { return .success(.name(text.lowercased())) }
    return .failure(
      IgnoreEntryError(
        "\(quoted(text)) is no address, CIDR or DNS name",
        remedy: "write for example 192.0.2.7, 192.0.2.0/24, 2001:db8::/32, office.example.org or file:/path"))
  }

  /// RFC 1123 labels, and `_` because it occurs; the last label must not be a number, or 10.0.0.256 were a name.
  private static func isName(_ text: String) -> Bool {
    let name = text.hasSuffix(".") ? text.dropLast() : text[...]
    guard !name.isEmpty, name.utf8.count <= 253 else { return false }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, last.utf8.contains(where: { $0 < 48 || $0 > 57 }) else { return false }
    return labels.allSatisfy { label in
      !label.isEmpty && label.utf8.count <= 63 && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy { byte in
          switch byte {
          case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
          default: false
          }
        }
    }
  }
}

extension IgnoreEntry: CustomStringConvertible {
  public var description: String {
    switch self {
    case .subnet(let subnet): subnet.description
    case .name(let name): name
    case .file(let path): "file:\(path)"
    }
  }
}

public struct IgnoreEntryError: Error, Sendable {
  public var message: String
  public var remedy: String

  init(_ message: String, remedy: String) {
    self.message = message
    self.remedy = remedy
  }
}
