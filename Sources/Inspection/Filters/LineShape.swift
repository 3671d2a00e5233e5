public import Model

/// What lines of a log have in common when their addresses, numbers and names are left out: a pattern to be, if they say a
/// failure.
public struct LineShape: Sendable, Hashable {
  public enum Piece: Sendable, Hashable {
    case text(String)
    case address, user, number, word
  }

  /// Of syslog's header; nil where the lines have none.
  public var program: String?
  public var pieces: [Piece]
  /// How many lines have it.
  public var count = 0
  /// The first of them.
  public var example = ""
  /// The addresses at each of its places for them.
  public var addresses: [Set<Address>] = []

  init(program: String?, pieces: [Piece]) {
    self.program = program
    self.pieces = pieces
  }

  /// `Failed password for USER from ADDRESS port N`
  public var description: String {
    pieces.map {
      switch $0 {
      case .text(let text): text
      case .address: "ADDRESS"
      case .user: "USER"
      case .number: "N"
      case .word: "…"
      }
    }.joined()
  }

  /// The place whose addresses differ most is the client's, of equal ones the last: the server's own is always the same.
  private var client: Int? {
    addresses.indices.max { (addresses[$0].count, $0) < (addresses[$1].count, $1) }
  }

  /// A native filter's `match`. Names hold no blank, and not what stands behind them, so that nobody writes an address before
  /// the true one.
  public var pattern: String {
    var text = "^"
    var places = 0
    var hasUser = false
    for (index, piece) in pieces.enumerated() {
      switch piece {
      case .text(let fixed): text += Self.escaped(fixed)
      case .number: text += "[0-9]+"
      case .word: text += Self.run(upTo: pieces.dropFirst(index + 1).first)
      case .address:
        text += places == client ? "<host>" : "[0-9A-Fa-f.:]+"
        places += 1
      case .user:
        let run = Self.run(upTo: pieces.dropFirst(index + 1).first)
        text += hasUser ? run : "(?<user>\(run))"
        hasUser = true
      }
    }
    return text + "$"
  }

  /// The client's address in the example.
  public func host(in found: [Address]) -> Address? { client.flatMap { found.indices.contains($0) ? found[$0] : nil } }

  /// `failed-password-for`
  public var name: String {
    let words = pieces.flatMap { piece -> [Substring] in
      guard case .text(let text) = piece else { return [] }
      return text.split { !($0.isASCII && $0.isLetter) }.filter { $0.count > 1 }
    }
    let name = words.prefix(3).joined(separator: "-").lowercased()
    return name.isEmpty ? "failure" : name
  }

  private static func run(upTo next: Piece?) -> String {
    guard case .text(let text)? = next, let end = text.first, end != " " else { return "[^ ]{1,256}" }
    return "[^ \("]\\^-".contains(end) ? "\\" : "")\(end)]{1,256}"
  }

  private static func escaped(_ text: String) -> String {
    text.map { "\\^$.[]|()?*+{}".contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}
