/// Texts of which one must be in whatever a pattern matches.
package struct RequiredLiterals: Equatable, Sendable {
  package struct Literal: Hashable, Sendable {
    var bytes: [UInt8]
    var caseless: Bool
  }

  var literals: [Literal]

  /// A shorter text is found too often to be worth looking for.
  static let shortest = 3
  /// One scan looks for all of them at once, so that many rare texts cost less than one that is in every line.
  private static let mostLiterals = 256
  private static let longest = 24

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
    var best = Facts(tree, text).best
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
    guard let best, best.allSatisfy({ $0.bytes.count >= Self.shortest }) else { return nil }
    literals = Self.distinct(best).sorted {
      $0.bytes.count == $1.bytes.count
        ? $0.bytes.lexicographicallyPrecedes($1.bytes) : $0.bytes.count < $1.bytes.count
    }
  }

  /// Each once, in their order. A few are compared one by one: the hashes of a set would be most of the work of a start.
  private static func distinct(_ literals: [Literal]) -> [Literal] {
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

  /// What is known of a part of a pattern.
  private struct Facts {
    /// All texts that it can match, when they are few and short.
    var exact: [Literal]?
    /// One of these is in every match.
    var best: [Literal]?

    init(exact: [Literal]?, best: [Literal]?) {
      self.exact = exact
      self.best = best
    }

    init(_ node: PatternSyntax, _ text: Text) {
      switch node {
      case .empty: self.init(exact: [Literal(bytes: [], caseless: false)], best: nil)
      case .unknown: self.init(exact: nil, best: nil)
      case .byte(let byte, let caseless):
        self.init(of: [byte], caseless, text)
      case .oneOf(let bytes, let caseless):
        self.init(of: bytes, caseless, text)
      case .sequence(let parts):
        self.init(sequence: parts, text)
      case .alternation(let branches):
        self.init(alternation: branches.map { Facts($0, text) }, text)
      case .repeated(let inner, let least, let most):
        let facts = Facts(inner, text)
        if least == 0 {
          // It may be left out; what it matches then is nothing.
          let exact = most == 1 ? facts.exact.map { [Literal(bytes: [], caseless: false)] + $0 } : nil
          self.init(exact: exact.flatMap { $0.count <= 8 ? $0 : nil }, best: nil)
        } else if least == most, least <= 8 {
          var chain = Chain()
          for _ in 0..<least { chain.append(facts, text) }
          self.init(chain, text)
        } else {
          self.init(exact: nil, best: Facts.better(facts.best, facts.exact, text))
        }
      }
    }

    private init(of bytes: [UInt8], _ caseless: Bool, _ text: Text) {
      self.init(
        exact: Facts.isStrange(bytes, caseless, text)
          ? nil : bytes.map { Literal(bytes: [$0], caseless: caseless && Facts.isLetter($0)) }, best: nil)
    }

    /// In Unicode `k` and `s` have a third form, which no byte scan finds; what is not ASCII may be in the log in another
    /// encoding.
    private static func isStrange(_ bytes: [UInt8], _ caseless: Bool, _ text: Text) -> Bool {
      text != .same && bytes.contains { $0 >= 0x80 || caseless && [0x6B, 0x73].contains($0 | 0x20) }
    }

    private init(sequence parts: [PatternSyntax], _ text: Text) {
      var chain = Chain()
      for part in parts {
        // A pattern is bytes for the most part.
        if case .byte(let byte, let caseless) = part, chain.append(byte, caseless, text) { continue }
        chain.append(Facts(part, text), text)
      }
      self.init(chain, text)
    }

    private init(_ chain: Chain, _ text: Text) {
      self.init(exact: chain.isExact ? chain.run : nil, best: Facts.better(chain.best, chain.run, text))
    }

    /// One part behind the other.
    private struct Chain {
      /// All texts that the parts since the last break can match.
      var run: [Literal]? = [Literal(bytes: [], caseless: false)]
      var best: [Literal]?
      var isExact = true

      mutating func append(_ part: Facts, _ text: Text) {
        if let joined = Facts.product(run, part.exact) {
          run = joined
        } else {
          isExact = false
          best = Facts.better(best, run, text)
          best = Facts.better(best, part.best, text)
          run = part.exact ?? [Literal(bytes: [], caseless: false)]
        }
      }

      /// The same for one byte, in place; false where that cannot be.
      mutating func append(_ byte: UInt8, _ caseless: Bool, _ text: Text) -> Bool {
        guard run?.count == 1, run![0].bytes.count < RequiredLiterals.longest,
          !Facts.isStrange([byte], caseless, text)
        else { return false }
        run![0].bytes.append(byte)
        if caseless, Facts.isLetter(byte) { run![0].caseless = true }
        return true
      }
    }

    private init(alternation branches: [Facts], _ text: Text) {
      var exact: [Literal]? = []
      var best: [Literal]? = []
      for branch in branches {
        exact = exact.flatMap { known in branch.exact.map { known + $0 } }
        best = best.flatMap { known in Facts.better(branch.best, branch.exact, text).map { known + $0 } }
      }
      exact = exact.map(RequiredLiterals.distinct)
      best = best.map(RequiredLiterals.distinct)
      if let all = exact, all.count > 16 { exact = nil }
      if let all = best, all.count > RequiredLiterals.mostLiterals || all.contains(where: \.bytes.isEmpty) {
        best = nil
      }
      self.init(exact: exact, best: best)
    }

    /// Every text of `a` followed by every text of `b`; nil when they become too many or too long.
    private static func product(_ a: [Literal]?, _ b: [Literal]?) -> [Literal]? {
      guard let a, let b, a.count * b.count <= 16 else { return nil }
      var all: [Literal] = []
      for first in a {
        for second in b {
          let joined = first.bytes + second.bytes
          guard joined.count <= RequiredLiterals.longest else { return nil }
          all.append(Literal(bytes: joined, caseless: first.caseless || second.caseless))
        }
      }
      return RequiredLiterals.distinct(all)
    }

    /// The set that lines hold less often, by its commonest text; of equals, the smaller set.
    private static func better(_ a: [Literal]?, _ b: [Literal]?, _ text: Text) -> [Literal]? {
      guard let a, !a.isEmpty else { return usable(b) }
      guard let b = usable(b) else { return a }
      func rank(_ set: [Literal]) -> (Int, Int, Int) {
        let shortest = set.map(\.bytes.count).min() ?? 0
        return (min(shortest, text.shortest), set.map { rarity($0.bytes) }.min() ?? 0, -set.count)
      }
      return rank(b) > rank(a) ? b : a
    }

    /// Words that many lines hold which are no failures.
    private static let commonWords = [
      "HTTP/", "http", "GET ", "POST ", "Mozilla", "invalid", "illegal", " from ", " for ", " user ", " port ",
    ].map {
      Array($0.utf8)
    }

    private static func rarity(_ text: [UInt8]) -> Int {
      var sum = 0
      var at = 0
      while at < text.count {
        if let word = commonWords.first(where: { text[at...].starts(with: $0) }) {
          sum += 1
          at += word.count
        } else {
          sum += rarity(text[at])
          at += 1
        }
      }
      return sum
    }

    /// What a byte adds to a text's being rare: the marks and digits of which log formats are made say little.
    private static func rarity(_ byte: UInt8) -> Int {
      switch byte {
      case UInt8(ascii: " "): 1
      case UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"), UInt8(ascii: "/"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: ";"), 48...57:
        2
      default: 4
      }
    }

    private static func usable(_ set: [Literal]?) -> [Literal]? {
      guard let set, !set.isEmpty, !set.contains(where: \.bytes.isEmpty) else { return nil }
      return set
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
  }
}
