internal import System

/// How text becomes a part of a page.
package enum HTML {
  /// Attackers wrote what is in here: control characters and what turns the direction of text are made visible, markup is text,
  /// between tags and in quotes.
  package static func escape(_ text: String) -> String {
    var result = ""
    for character in printable(text).unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
