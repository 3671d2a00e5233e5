/// A jail's `journalmatch`, taken apart: one of `groups` must fit, and of a group all.
struct JournalMatch: Hashable {
  var groups: [[String]]

  /// Spaces separate what must hold together, `+` alone separates alternatives (as journalctl(1) has it), and in `"…"` or
  /// `'…'` spaces belong to the value.
  init(_ matches: [String]) {
    groups = matches.flatMap { match in
      Self.words(match).split(separator: "+").map(Array.init)
    }.filter { !$0.isEmpty }
  }

  /// How positions and audit name the journal's entries that fit; alternatives as journalctl(1) has them.
  func name(in directory: String?) -> String {
    var words = ["journal"]
    if let directory { words.append(directory) }
    if !groups.isEmpty { words.append(groups.map { $0.joined(separator: " ") }.joined(separator: " + ")) }
    return words.joined(separator: " ")
  }

  private static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var isInWord = false
    for character in text {
      if let open = quote {
        if character == open { quote = nil } else { word.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        isInWord = true
      } else if character.isWhitespace {
        if isInWord { words.append(word) }
        word = ""
        isInWord = false
      } else {
        word.append(character)
        isInWord = true
      }
    }
    if isInWord { words.append(word) }
    return words
  }

  /// May entries of this systemd unit fit?
  func mayFit(unit: some StringProtocol) -> Bool {
    groups.isEmpty
      || groups.contains { group in
        let units = group.filter { $0.hasPrefix("_SYSTEMD_UNIT=") }
        return units.isEmpty || units.contains("_SYSTEMD_UNIT=\(unit)")
      }
  }
}
