/// One request and its response, over a connection of its own (RFC 9112).
struct ClientExchange: ~Copyable {
  private(set) var status = 0
  /// By their names in small letters.
  private(set) var headers: [String: String] = [:]
  private var connection: ClientConnection
  private var framing = Framing.untilClosed

  private enum Framing {
    case length(left: Int)
    case chunks(left: Int)
    case untilClosed
    case done
  }

  typealias Failure = ClientConnection.Failure

  private init(_ connection: consuming ClientConnection) { self.connection = connection }

  /// Sends the request and reads the response's head. Whatever is wrong with it is `closed`.
  static func begin(
    _ method: String, _ uri: String, headers: [(String, String)], body: [UInt8],
    over connection: consuming ClientConnection
  ) throws(Failure) -> ClientExchange {
    var head = "\(method) \(uri) HTTP/1.1\r\nHost: bailiff\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    head += "Content-Length: \(body.count)\r\n\r\n"
    try connection.send(Array(head.utf8) + body)
    var exchange = ClientExchange(connection)
    repeat { try exchange.readHead() } while (100..<200).contains(exchange.status)
    return exchange
  }

  private mutating func readHead() throws(Failure) {
    let words = try connection.line().split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw .closed }
    self.status = status
    framing = .untilClosed
    while true {
      let line = try connection.line()
      guard !line.isEmpty else { break }
      guard let colon = line.firstIndex(of: ":") else { throw .closed }
      let value = String(line[line.index(after: colon)...].drop { $0 == " " })
      let name = line[..<colon].lowercased()
      headers[name] = value
      switch name {
      case "content-length":
        guard let length = Int(value), length >= 0 else { throw .closed }
        framing = length == 0 ? .done : .length(left: length)
      case "transfer-encoding" where value.lowercased() == "chunked": framing = .chunks(left: 0)
      default: break
      }
    }
  }

  /// The next piece of the body; empty at its end. A body that breaks off before its end is `closed`.
  mutating func next() throws(Failure) -> ArraySlice<UInt8> {
    switch framing {
    case .done: return []
    case .untilClosed: return try connection.bytes()
    case .length(let left):
      let piece = try piece(left)
      framing = piece.count == left ? .done : .length(left: left - piece.count)
      return piece
    case .chunks(let left):
      let size = left > 0 ? left : try chunkSize()
      guard size > 0 else {
        // Trailers.
        while try !connection.line().isEmpty {}
        framing = .done
        return []
      }
      let piece = try piece(size)
      if piece.count == size { _ = try connection.line() }
      framing = .chunks(left: size - piece.count)
      return piece
    }
  }

  private mutating func piece(_ limit: Int) throws(Failure) -> ArraySlice<UInt8> {
    let piece = try connection.bytes(limit: limit)
    guard !piece.isEmpty else { throw .closed }
    return piece
  }

  private mutating func chunkSize() throws(Failure) -> Int {
    let digits = try connection.line().prefix { $0.isHexDigit }
    guard let size = Int(digits, radix: 16), size >= 0 else { throw .closed }
    return size
  }
}
