extension RequiredLiterals {
  /// What is known of a part of a pattern.
  struct Facts {
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
}
