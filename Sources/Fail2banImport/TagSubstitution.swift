/// `<x>` in the values of a set of options: replaced by the option `x` again and again, so that `<mdre-<mode>>` becomes
/// `<mdre-normal>` and then that option's text. What names no option stays: fail2ban's own tags (`<HOST>`, `<F-USER>`)
/// and the expressions' own brackets.
struct TagSubstitution {
  /// In the order in which they are worked on.
  private(set) var names: [String]
  private(set) var values: [String: String]
  /// Names that stay tags: those that have values for a condition only.
  private let kept: Set<String>

  /// How often one tag may be put into one value.
  private static let repeatLimit = 25
  /// A value longer than this is no filter but options that double each other.
  private static let sizeLimit = 1 << 20

  struct Failure: Error, Equatable {
    var option: String
    var reason: String
  }

  /// - Parameter lookUp: the value of a tag that is not among `values`.
  init(
    names: [String], values: [String: String], kept: Set<String>,
    lookUp: (String) throws(ConfigurationError) -> String?
  ) throws {
    self.names = names
    self.values = values
    self.kept = kept
    var counts: [String: [String: Int]] = [:]
    var open = names.filter { !kept.contains($0) }
    while !open.isEmpty {
      var again = false
      for name in open {
        let (changed, hasTag) = try substitute(name, &counts[name, default: [:]], lookUp)
        again = again || (changed && hasTag)
      }
      open.removeAll { !self.values[$0, default: ""].utf8.contains(UInt8(ascii: "<")) }
      if !again { break }
    }
  }

  private mutating func substitute(
    _ name: String, _ counts: inout [String: Int], _ lookUp: (String) throws(ConfigurationError) -> String?
  ) throws -> (changed: Bool, hasTag: Bool) {
    var text = Array(values[name, default: ""].utf8)
    var changed = false
    var position = 0
    while let tag = Self.nextTag(in: text, from: position) {
      let inner = String(decoding: text[tag].dropFirst().dropLast(), as: UTF8.self)
      if kept.contains(inner) {
        position = tag.upperBound
        continue
      }
      guard inner != name, counts[inner, default: 0] < Self.repeatLimit else {
        throw Failure(option: name, reason: "`<\(inner)>` leads back to itself; a tag must not contain its own option")
      }
      guard let value = try values[inner] ?? lookUp(inner) else {
        position = tag.upperBound
        continue
      }
      text = Self.replacing(Array(text[tag]), with: Array(value.utf8), in: text)
      guard text.count <= Self.sizeLimit else {
        throw Failure(
          option: name, reason: "the value grows past \(Self.sizeLimit) bytes; do options double each other?")
      }
      counts[inner, default: 0] += 1
      changed = true
      position = tag.lowerBound
    }
    if changed { values[name] = String(decoding: text, as: UTF8.self) }
    return (changed, Self.nextTag(in: text, from: 0) != nil)
  }

  /// The next `<…>` without a space, `<` or `>` inside.
  static func nextTag(in text: [UInt8], from start: Int) -> Range<Int>? {
    var open: Int?
    for index in text.indices.dropFirst(start) {
      switch text[index] {
      case UInt8(ascii: "<"): open = index
      case UInt8(ascii: " "): open = nil
      case UInt8(ascii: ">"):
        if let open, index > open + 1 { return open..<(index + 1) }
        open = nil
      default: break
      }
    }
    return nil
  }

  private static func replacing(_ tag: [UInt8], with value: [UInt8], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "<"), text[index...].starts(with: tag) {
        result += value
        index += tag.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }
}
