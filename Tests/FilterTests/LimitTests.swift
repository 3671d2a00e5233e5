import Fail2banMatching
import Filters
import Matching
import Model
import Testing

/// No line that a client can have written stops a pattern at its limit: a pattern that gave up would not see.
///
/// Each pattern runs on its samples with 8 KiB of one text in each of their fields, as machine code and in PCRE2's interpreter, which
/// stands in for it where memory may not be made executable. The interpreter counts a step for each choice at each byte: what is
/// asked of a pattern is that its work grows with the line and not with the line's square.
@Suite struct LimitTests {
  static let fills = [
    "a", "/", ".", " ", "'", "%2e", "%0a", "<", "\\x22", "=", "; ", "${", "(", "]", "::1 ", "[1.2.3.4] ",
    " from 1.2.3.4",
    ", client: 1.2.3.4", "rip=::1, ", "union ", "\\\"", "a:",
  ]
  static let size = 8192

  @Test(arguments: Shipped.files)
  func workGrowsWithTheLine(file: String) throws {
    let definition = try Shipped.definition(file)
    let filter = try Filter(definition)
    var compiled = MatchScratch()
    var interpreted = MatchScratch()
    let subjects = definition.samples.flatMap { Self.subjects($0.line) }
    for source in filter.expressions {
      let options: Pattern.Options = [.dotAll, .dollarEndOnly, .duplicateNames]
      let fast = try Pattern(source, options: options)
      let slow = try Pattern(source, options: options.union(.withoutJIT))
      let own = subjects.filter { compiled.match(fast, $0.span) == .matched }.prefix(2)
      for subject in own.isEmpty ? subjects.prefix(1) : own {
        for place in Self.places(subject) {
          for fill in Self.fills {
            let text = Array(String(repeating: fill, count: Self.size / fill.utf8.count).utf8)
            let line = subject[..<place] + text + subject[place...]
            for outcome in [compiled.match(fast, Array(line).span), interpreted.match(slow, Array(line).span)] {
              guard case .gaveUp(let code) = outcome else { continue }
              Issue.record(
                "\(file): \(code) for `\(fill)` at \(place) of \(String(decoding: subject, as: UTF8.self)): \(source)")
            }
          }
        }
      }
    }
  }

  /// The line, and what of it a pattern may see behind a syslog header.
  static func subjects(_ line: String) -> [[UInt8]] {
    [line].map { Array($0.utf8) }
      + ["]: ", ": "].compactMap { end in
        line.firstRange(of: end).map { Array(line[$0.upperBound...].utf8) }
      }
  }

  /// Where fields begin: behind a few of the bytes that separate them.
  static func places(_ subject: [UInt8]) -> [Int] {
    let all = subject.indices.filter { " /\"=(<[:,".utf8.contains(subject[$0]) }.map { $0 + 1 }
    return stride(from: 0, to: all.count, by: max(1, all.count / 5)).map { all[$0] }
  }
}
