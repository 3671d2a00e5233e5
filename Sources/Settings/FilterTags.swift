internal import Filters

/// A filter's own tags: names for parts of patterns that several of them share (`tags: {client: '\[client <host>\]'}`, then
/// `^<client> user `). They are put into the patterns while the file is read.
struct FilterTags {
  /// What every pattern knows already.
  private static let builtIn: Set<String> = ["host", "user", "port"]

  private var tags: [(name: String, text: String)] = []

  /// A tag may use those above it, and those of the filter that `tags_of` names.
  init(_ fields: Fields) {
    if let value = fields["tags_of"], let name = value.name("tags_of") { takeTags(of: name, value) }
    guard let map = fields["tags"], let entries = Fields(map, "tags")?.entries else { return }
    for entry in entries {
      guard entry.key.utf8.allSatisfy({ Self.isNameByte($0) }), !Self.builtIn.contains(entry.key) else {
        map.problems.add(
          entry.place, "no tag can be called \(quoted(entry.key))",
          remedy: "use small letters, digits and _, and another name than host, user and port")
        continue
      }
      guard let text = entry.value.text(entry.key, anyCharacter: true) else { continue }
      let tag = (name: "<\(entry.key)>", text: expand(text))
      // Its own goes before another filter's of the same name.
      if let index = tags.firstIndex(where: { $0.name == tag.name }) { tags[index] = tag } else { tags.append(tag) }
    }
  }

  /// The tags of the filter beside this one, so that several formats have one set of lists.
  private mutating func takeTags(of name: String, _ value: Value) {
    let directory = value.place.file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let path = (directory + ["\(name).yaml"]).joined(separator: "/")
    guard let root = Document.read(path, value.problems), let fields = Fields(root, "filter") else { return }
    guard fields.has("tags"), !fields.has("tags_of") else {
      value.fail("filter \(quoted(name)) has no tags of its own", "name one with `tags`")
      return
    }
    tags = FilterTags(fields).tags
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
