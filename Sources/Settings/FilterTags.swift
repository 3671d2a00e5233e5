internal import Filters

/// A filter's own tags: names for parts of patterns that several of them share (`tags: {client: '\[client <host>\]'}`, then
/// `^<client> user `). They are put into the patterns while the file is read.
struct FilterTags {
  /// What every pattern knows already.
  private static let builtIn: Set<String> = ["host", "user", "port"]

  private var tags: [(name: String, text: String)] = []

  /// A tag may use those above it.
  init(_ fields: Fields) {
    guard let map = fields["tags"], let entries = Fields(map, "tags")?.entries else { return }
    for entry in entries {
      guard entry.key.utf8.allSatisfy({ Self.isNameByte($0) }), !Self.builtIn.contains(entry.key) else {
        map.problems.add(
          entry.place, "no tag can be called \(quoted(entry.key))",
          remedy: "use small letters, digits and _, and another name than host, user and port")
        continue
      }
      guard let text = entry.value.text(entry.key, anyCharacter: true) else { continue }
      tags.append(("<\(entry.key)>", expand(text)))
    }
  }

  /// `text` with this filter's tags replaced; `(?<name>…)` is a group and stays.
  func expand(_ text: String) -> String {
    guard !tags.isEmpty else { return text }
    var out = ""
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "<") {
      out += rest[..<start]
      rest = rest[start...]
      if !out.hasSuffix("(?"), !out.hasSuffix("(?P"), let tag = tags.first(where: { rest.hasPrefix($0.name) }) {
        out += tag.text
        rest = rest.dropFirst(tag.name.count)
      } else {
        out.append("<")
        rest = rest.dropFirst()
      }
    }
    return out + rest
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
      || byte == UInt8(ascii: "_")
  }
}
