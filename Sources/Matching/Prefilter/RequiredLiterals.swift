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
    fileprivate func isRarePair(_ text: Text) -> Bool {
      text == .same && bytes.count == 2 && bytes.allSatisfy(Self.isRare)
    }

    /// What neither words nor log formats are made of.
    fileprivate static func isRare(_ byte: UInt8) -> Bool {
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
    /// Every match begins with one of these; the empty text says nothing.
    var prefixes: [Literal]
    /// Every match ends with one of these.
    var suffixes: [Literal]
    /// There is nothing between: `prefixes` are all texts that it can match, and so are `suffixes`.
    var isExact: Bool
    /// One of these is in every match.
    var best: Choice?

    /// More texts of one part than this are not looked at together.
    private static let mostTexts = 64
    private static let nothing = [Literal(bytes: [], caseless: false)]

    private init(exact: [Literal]) {
      (prefixes, suffixes, isExact) = (exact, exact, true)
    }

    private init(prefixes: [Literal], suffixes: [Literal], best: Choice?) {
      (self.prefixes, self.suffixes, isExact, self.best) = (prefixes, suffixes, false, best)
    }

    private static let unknown = Facts(prefixes: nothing, suffixes: nothing, best: nil)

    init(_ node: PatternSyntax, _ text: Text) {
      switch node {
      case .empty: self.init(exact: Facts.nothing)
      case .unknown: self = .unknown
      case .byte(let byte, let caseless):
        self.init(of: [byte], caseless, text)
      case .oneOf(let bytes, let caseless):
        self.init(of: bytes, caseless, text)
      case .sequence(let parts):
        self.init(sequence: parts, text)
      case .alternation(let branches):
        self.init(alternation: branches.map { Facts($0, text) }, text)
      case .repeated(let inner, let least, let most):
        self.init(repeating: Facts(inner, text), least, most, text)
      }
    }

    private init(of bytes: [UInt8], _ caseless: Bool, _ text: Text) {
      guard !Facts.isStrange(bytes, caseless, text) else {
        self = .unknown
        return
      }
      self.init(exact: bytes.map { Literal(bytes: [$0], caseless: caseless && Facts.isLetter($0)) })
    }

    private init(repeating inner: Facts, _ least: Int, _ most: Int?, _ text: Text) {
      if least == 0 {
        // It may be left out; what it matches then is nothing.
        if most == 1, inner.isExact, inner.prefixes.count < 8 {
          self.init(exact: Facts.nothing + inner.prefixes)
        } else {
          self = .unknown
        }
      } else if least == most, least <= 8 {
        var chain = Chain()
        for _ in 0..<least { chain.append(inner, text) }
        self.init(chain, text)
      } else {
        self.init(prefixes: inner.prefixes, suffixes: inner.suffixes, best: inner.promise(text))
      }
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
      if let prefixes = chain.prefixes {
        self.init(prefixes: prefixes, suffixes: chain.run, best: chain.promise(text))
      } else {
        self.init(exact: chain.run)
      }
    }

    /// One part behind the other.
    private struct Chain {
      /// What the chain begins with, once that is settled: nil while `run` is all of it.
      var prefixes: [Literal]?
      /// One of these is right before what comes next.
      var run = Facts.nothing
      /// The same without what the part before the run ends with, which may add nothing but numbers; nil where there is none.
      var bare: [Literal]?
      private var best: Choice?

      mutating func append(_ part: Facts, _ text: Text) {
        // What a class of many adds to a text may not be worth its many forms.
        if part.prefixes.count > 4 { best = promise(text) }
        let joined = Facts.product(run, part.prefixes)
        if part.isExact, let joined {
          run = joined
          bare = bare.flatMap { Facts.product($0, part.prefixes) }
          return
        }
        best = Facts.better(best, joined ?? run, text)
        if let bare { best = Facts.better(best, Facts.product(bare, part.prefixes) ?? bare, text) }
        best = part.best.map { $0.or(best) } ?? best
        if prefixes == nil { prefixes = joined ?? run }
        run = part.suffixes
        bare = part.isExact ? nil : Facts.nothing
      }

      /// The same for one byte, in place; false where that cannot be.
      mutating func append(_ byte: UInt8, _ caseless: Bool, _ text: Text) -> Bool {
        guard !Facts.isStrange([byte], caseless, text), Self.canGrow(run), bare.map(Self.canGrow) ?? true else {
          return false
        }
        let isCaseless = caseless && Facts.isLetter(byte)
        Self.grow(&run, byte, isCaseless)
        if bare != nil { Self.grow(&bare!, byte, isCaseless) }
        return true
      }

      private static func canGrow(_ texts: [Literal]) -> Bool {
        texts.allSatisfy { $0.bytes.count < RequiredLiterals.longest }
      }

      private static func grow(_ texts: inout [Literal], _ byte: UInt8, _ isCaseless: Bool) {
        for index in texts.indices {
          texts[index].bytes.append(byte)
          if isCaseless { texts[index].caseless = true }
        }
      }

      /// The best of what is known of all of it.
      func promise(_ text: Text) -> Choice? {
        let best = Facts.better(best, run, text)
        return bare.map { Facts.better(best, $0, text) } ?? best
      }
    }

    private init(alternation branches: [Facts], _ text: Text) {
      let prefixes = Facts.union(branches.map(\.prefixes))
      if branches.allSatisfy(\.isExact), let prefixes {
        self.init(exact: prefixes)
        return
      }
      var best: [Literal]? = []
      for branch in branches { best = best.flatMap { known in branch.promise(text).map { known + $0.literals } } }
      best = best.map(RequiredLiterals.distinct)
      if let all = best, all.count > RequiredLiterals.mostLiterals { best = nil }
      self.init(
        prefixes: prefixes ?? Facts.nothing, suffixes: Facts.union(branches.map(\.suffixes)) ?? Facts.nothing,
        best: best.flatMap { Choice($0, text) })
    }

    /// The best of what is known of it by itself.
    func promise(_ text: Text) -> Choice? {
      let best = Facts.better(best, prefixes, text)
      return isExact ? best : Facts.better(best, suffixes, text)
    }

    private static func better(_ best: Choice?, _ texts: [Literal], _ text: Text) -> Choice? {
      guard let choice = Choice(texts, text) else { return best }
      return best.map { $0.or(choice) } ?? choice
    }

    /// All of them; nil when they become too many.
    private static func union(_ sets: [[Literal]]) -> [Literal]? {
      var all: [Literal] = []
      for set in sets {
        all += set
        guard all.count <= RequiredLiterals.mostLiterals else { return nil }
      }
      all = RequiredLiterals.distinct(all)
      return all.count <= mostTexts ? all : nil
    }

    /// Every text of `a` followed by every text of `b`; nil when they become too many or too long.
    private static func product(_ a: [Literal], _ b: [Literal]) -> [Literal]? {
      guard a.count * b.count <= mostTexts else { return nil }
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

    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
  }

  /// Texts of which one is in every match, and how often a line holds one of them by chance.
  private struct Choice {
    let literals: [Literal]
    private let shortest: Int
    private let often: Double

    /// Nil for what says nothing.
    init?(_ literals: [Literal], _ text: Text) {
      guard !literals.isEmpty, !literals.contains(where: \.bytes.isEmpty) else { return nil }
      self.literals = literals
      let shortest = literals.map { $0.isRarePair(text) ? text.shortest : $0.bytes.count }.min() ?? 0
      self.shortest = min(shortest, text.shortest)
      often = literals.reduce(0) { $0 + Double(sign: .plus, exponent: -Self.rarity($1.bytes), significand: 1) }
    }

    /// The one that is found less often; of equals, the smaller.
    func or(_ other: Choice?) -> Choice {
      guard let other else { return self }
      return other.rank > rank ? other : self
    }

    private var rank: (Int, Double, Int) { (shortest, -often, -literals.count) }

    /// Words that many lines hold which are no failures.
    private static let commonWords = [
      "HTTP/1.", "HTTP/2", "http", "GET ", "POST ", "Mozilla", "invalid", "illegal", " from ", " for ", " user ",
      " port ",
    ].map {
      Array($0.utf8)
    }

    /// A line holds `text` by chance once in two to this power, as a rough guess.
    private static func rarity(_ text: [UInt8]) -> Int {
      var sum = 0
      var at = 0
      while at < text.count {
        // Also where the text ends within one.
        if let word = commonWords.first(where: { word in
          word[0] == text[at]
            && (text[at...].starts(with: word) || text.count - at >= 3 && word.starts(with: text[at...]))
        }) {
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
      case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "]"): 1
      case UInt8(ascii: ":"), UInt8(ascii: "/"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: ";"), 48...57:
        2
      case let byte where Literal.isRare(byte): 5
      default: 4
      }
    }
  }
}
