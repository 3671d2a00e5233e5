extension RequiredLiterals {
  /// Texts of which one is in every match, and how often a line holds one of them by chance.
  struct Choice {
    let literals: [Literal]
    private let shortest: Int
    private let often: Double

    /// Nil for what says nothing.
    init?(_ literals: [Literal], _ text: Text) {
      guard !literals.isEmpty, !literals.contains(where: { $0.bytes.isEmpty }) else { return nil }
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
