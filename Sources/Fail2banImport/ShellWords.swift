/// Words as a shell would split them: at white space, outside `"…"`, `'…'` and after no `\`.
enum ShellWords {
  /// Nil where a quote is not closed.
  static func split(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var escaped = false
    for character in text {
      if escaped {
        // Inside double quotes, a backslash means itself unless it makes the next character plain.
        if quote == "\"", character != "\"", character != "\\" { word?.append("\\") }
        word?.append(character)
        escaped = false
      } else if character == "\\", quote != "'" {
        word = word ?? ""
        escaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "\"" || character == "'" {
        word = word ?? ""
        quote = character
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !escaped else { return nil }
    return words + (word.map { [$0] } ?? [])
  }

  static func quote(_ word: String) -> String {
    guard word.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "'" || $0 == "\\" }) else { return word }
    return "\"" + word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
