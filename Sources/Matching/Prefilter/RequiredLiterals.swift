/// Texts of which one must be in whatever a pattern matches.
package struct RequiredLiterals: Equatable, Sendable {
  package struct Literal: Hashable, Sendable {
    var bytes: [UInt8]
    var caseless: Bool

    /// Is `other`, which is no longer, found wherever this one is?
    fileprivate func holds(_ other: Literal) -> Bool {
      guard other.caseless || !caseless, other.bytes.count < bytes.count else { return false }
      func isSame(_ a: UInt8, _ b: UInt8) -> Bool { a == b || other.caseless && a ^ b == 0x20 && Facts.isLetter(a) }
      return (0...bytes.count - other.bytes.count).contains { start in
        other.bytes.indices.allSatisfy { isSame(bytes[start + $0], other.bytes[$0]) }
      }
    }

    /// Two bytes that are looked for all the same, since hardly a line holds them beside each other.
    func isRarePair(_ text: Text) -> Bool {
      text == .same && bytes.count == 2 && bytes.allSatisfy(Self.isRare)
    }

    /// What neither words nor log formats are made of.
    static func isRare(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "$"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "("), UInt8(ascii: ")"),
        UInt8(ascii: "|"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "`"), UInt8(ascii: "&"),
        UInt8(ascii: "*"), UInt8(ascii: "!"), UInt8(ascii: "^"), UInt8(ascii: "~"), UInt8(ascii: "#"),
        UInt8(ascii: "%"):
        true
      default: false
      }
    }
  }

  var literals: [Literal]

  /// A shorter text is found too often to be worth looking for.
  static let shortest = 3
  /// One scan looks for all of them at once, so that many rare texts cost less than one that is in every line.
  static let mostLiterals = 256
  static let longest = 24

  /// How the lines that are scanned differ from the texts that the pattern is matched against.
  package enum Text {
    /// They are the same bytes.
    case same
    /// As fail2ban does it: the date may have been cut out anywhere, and letters have their case by Unicode, in which the
    /// Kelvin sign is a `k` and the long s an `s`.
    case withoutDate
    /// The same, where the date can only be at the line's start, behind at most two characters that no word has.
    case withoutDateAtStart

    /// The length from which a literal can be used.
    var shortest: Int { self == .withoutDate ? 2 * RequiredLiterals.shortest : RequiredLiterals.shortest }
  }

  /// Nil when no such texts can be told: the pattern must then be tried on every line.
  package init?(_ pattern: String, caseless: Bool = false, text: Text = .same) {
    guard let tree = PatternSyntax(pattern, caseless: caseless) else { return nil }
    self.init(tree, text: text)
  }

  init?(_ tree: PatternSyntax, text: Text = .same) {
    var best = Facts(tree, text).promise(text)?.literals
    switch text {
    case .same: break
    case .withoutDateAtStart:
      // What precedes the date is no part of a word; the rest of the text is whole behind it.
      best = best?.map { Literal(bytes: Array($0.bytes.dropFirst(Self.beforeDate($0.bytes))), caseless: $0.caseless) }
    case .withoutDate:
      // The date may part a text in two at any place: one half stays whole then.
      best = best?.flatMap { literal -> [Literal] in
        let middle = literal.bytes.count / 2
        return [
          Literal(bytes: Array(literal.bytes[..<middle]), caseless: literal.caseless),
          Literal(bytes: Array(literal.bytes[middle...]), caseless: literal.caseless),
        ]
      }
    }
    guard let best, best.allSatisfy({ $0.bytes.count >= Self.shortest || $0.isRarePair(text) }) else { return nil }
    literals = Self.withoutLonger(
      Self.distinct(best).sorted {
        $0.bytes.count == $1.bytes.count
          ? $0.bytes.lexicographicallyPrecedes($1.bytes) : $0.bytes.count < $1.bytes.count
      })
  }

  /// Without those that hold another one, which is found wherever they are: each costs what it is found.
  private static func withoutLonger(_ literals: [Literal]) -> [Literal] {
    guard literals.count > 1 else { return literals }
    var kept: [Literal] = []
    for literal in literals where !kept.contains(where: { literal.holds($0) }) { kept.append(literal) }
    return kept
  }

  /// Each once, in their order. A few are compared one by one: the hashes of a set would be most of the work of a start.
  static func distinct(_ literals: [Literal]) -> [Literal] {
    if literals.count > 32 {
      var seen: Set<Literal> = []
      return literals.filter { seen.insert($0).inserted }
    }
    var all: [Literal] = []
    for literal in literals where !all.contains(literal) { all.append(literal) }
    return all
  }

  /// With more texts, any of which will do too.
  func adding(_ texts: [String]) -> RequiredLiterals {
    var more = self
    more.literals += texts.map { Literal(bytes: Array($0.utf8), caseless: false) }
    return more
  }

  /// With those of another pattern, any of which will do too.
  func adding(_ others: RequiredLiterals) -> RequiredLiterals {
    var more = self
    more.literals += others.literals
    return more
  }

  /// How many of a text's first bytes may precede a date at the line's start.
  private static func beforeDate(_ bytes: [UInt8]) -> Int {
    bytes.prefix(2).prefix { byte in
      switch byte {
      case 48...57, 65...90, 95, 97...122: false
      default: true
      }
    }.count
  }
}
