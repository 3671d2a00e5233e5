/// The encoding of a log's texts, where it is not UTF-8.
public enum LogEncoding: Sendable {
  case utf8
  case ascii
  case latin1
  /// Latin-1 with the euro sign: ISO-8859-15.
  case latin9
  case windows1252

  /// A `logencoding` by its name; `auto` is UTF-8. Nil for what is not supported.
  public init?(name: String) {
    switch name.lowercased().filter({ $0.isLetter || $0.isNumber }) {
    case "auto", "utf8": self = .utf8
    case "ascii", "usascii": self = .ascii
    case "latin1", "iso88591", "l1": self = .latin1
    case "latin9", "iso885915", "l9": self = .latin9
    case "windows1252", "cp1252": self = .windows1252
    default: return nil
    }
  }

  /// As an error's remedy.
  public static let supported = "use utf-8, ascii, latin-1, iso-8859-15 or windows-1252"
}
