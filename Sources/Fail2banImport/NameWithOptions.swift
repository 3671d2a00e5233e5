/// fail2ban's `name[option="value", other=value][third='value']`, as filters and actions are given to a jail.
public struct NameWithOptions: Sendable, Equatable {
  public var name: String
  /// A key may carry a condition: `blocktype?family=inet6`.
  public var options: [String: String]

  public init(name: String, options: [String: String] = [:]) {
    self.name = name
    self.options = options
  }

  /// - Throws: `OptionSyntaxError` with what is wrong and where in `text`.
  public init(_ text: String) throws(OptionSyntaxError) {
    var scanner = Scanner(text)
    scanner.skipSpace()
    name = scanner.take { $0 != "[" }.trimmed
    options = [:]
    guard !name.isEmpty else { throw scanner.error("a name must come before the options") }
    while scanner.skip("[") {
      repeat {
        scanner.skipSpace()
        if scanner.next == "]" { break }
        let key = scanner.take { $0.isWordCharacter || "-.?/".unicodeScalars.contains($0) }
        guard !key.isEmpty, scanner.skip("=") else { throw scanner.error("expected `option=value`") }
        if let mark = key.firstIndex(of: "?") {
          // The condition has a `=` of its own: `blocktype?family=inet6="…"`.
          let value = scanner.take { $0.isWordCharacter || $0 == "-" }
          guard scanner.skip("=") else { throw scanner.error("expected a value after the condition `\(key[mark...])`") }
          options["\(key)=\(value)"] = try scanner.value()
        } else {
          options[key] = try scanner.value()
        }
      } while scanner.skip(",")
      guard scanner.skip("]") else { throw scanner.error("expected `,` or `]`") }
      scanner.skipSpace()
    }
    guard scanner.next == nil else { throw scanner.error("nothing may follow the options") }
  }

  /// Splits a list of names with options at white space outside the brackets, as `action = a[x="1 2"] b` is meant.
  public static func split(_ text: String) -> [String] {
    var parts: [String] = []
    var scanner = Scanner(text)
    scanner.skipSpace()
    while scanner.next != nil {
      var part = scanner.take { $0 != "[" && !$0.properties.isWhitespace }
      scanner.skipSpace()
      while scanner.next == "[" {
        part += scanner.brackets()
        scanner.skipSpace()
      }
      parts.append(part)
    }
    return parts
  }
}

public struct OptionSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  public var description: String
}

private struct Scanner {
  private let text: String
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) {
    self.text = text
    rest = text[...].unicodeScalars
  }

  var next: Unicode.Scalar? { rest.first }

  mutating func take(while condition: (Unicode.Scalar) -> Bool) -> String {
    let taken = rest.prefix(while: condition)
    rest = rest[taken.endIndex...]
    return String(taken)
  }

  mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  mutating func skipSpace() { rest = rest.drop(while: \.properties.isWhitespace) }

  /// A value up to the `,` or `]` after it, without its quotes.
  mutating func value() throws(OptionSyntaxError) -> String {
    guard let quote = rest.first, quote == "\"" || quote == "'" else { return take { $0 != "," && $0 != "]" }.trimmed }
    rest.removeFirst()
    let value = take { $0 != quote }
    guard skip(quote) else { throw error("the quote \(quote) is not closed") }
    skipSpace()
    return value.trimmed
  }

  /// One bracketed group as it stands; a `]` inside quotes does not end it.
  mutating func brackets() -> String {
    let start = rest.startIndex
    var quote: Unicode.Scalar?
    var previous: Unicode.Scalar = "["
    while let scalar = rest.popFirst() {
      if let open = quote {
        if scalar == open { quote = nil }
      } else if scalar == "]" {
        break
      } else if previous == "=", scalar == "\"" || scalar == "'" {
        quote = scalar
      }
      previous = scalar
    }
    return String(text.unicodeScalars[start..<rest.startIndex])
  }

  func error(_ reason: String) -> OptionSyntaxError {
    let column = text.unicodeScalars.distance(from: text.startIndex, to: rest.startIndex) + 1
    return OptionSyntaxError(description: "\(reason), at character \(column) of `\(text)`")
  }
}
