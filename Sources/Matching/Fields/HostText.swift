internal import Model

/// An address as logs write it in a field of its own.
enum HostText {
  /// Is this an address and nothing else?
  static func isAddress(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    // Names are longer than that, or have none of these.
    guard range.count >= 2, range.count <= 48 else { return false }
    return bare(text, range).map { Address(parsing: text.extracting($0)) != nil } ?? false
  }

  /// The address that a field names: `192.0.2.7`, `2001:db8::7`, `[2001:db8::7]`, `[v1.2001:db8::7]` (CUPS), each perhaps
  /// with a port: `192.0.2.7:4711`, `[2001:db8::7]:4711`. With `hasPort` the last colon is the one before the port, with
  /// brackets or without.
  static func address(
    _ text: borrowing Span<UInt8>, _ range: Range<Int>, hasPort: Bool
  ) -> (address: Address, port: UInt16)? {
    if hasPort {
      guard let colon = lastColon(text, range), let port = port(text, colon + 1..<range.upperBound),
        let host = bare(text, range.lowerBound..<colon), let address = Address(parsing: text.extracting(host))
      else { return nil }
      return (address, port)
    }
    if let host = bare(text, range), let address = Address(parsing: text.extracting(host)) { return (address, 0) }
    // A port behind brackets or behind an IPv4 address.
    guard let colon = lastColon(text, range), let port = port(text, colon + 1..<range.upperBound) else { return nil }
    let isBracketed = text[range.lowerBound] == UInt8(ascii: "[")
    guard let host = bare(text, range.lowerBound..<colon), let address = Address(parsing: text.extracting(host)),
      isBracketed || !host.contains(where: { text[$0] == UInt8(ascii: ":") })
    else { return nil }
    return (address, port)
  }

  /// What stands inside brackets, or the text itself.
  private static func bare(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
    guard !range.isEmpty else { return nil }
    guard text[range.lowerBound] == UInt8(ascii: "[") else { return range }
    guard range.count > 2, text[range.upperBound - 1] == UInt8(ascii: "]") else { return nil }
    var start = range.lowerBound + 1
    // RFC 3986's IPvFuture, as CUPS uses it.
    if starts(text, start, with: "v1.") { start += 3 }
    return start..<range.upperBound - 1
  }

  private static func lastColon(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.upperBound
    while at > range.lowerBound, range.upperBound - at < 7 {
      at -= 1
      if text[at] == UInt8(ascii: ":") { return at }
    }
    return nil
  }

  /// One to five digits, up to 65,535.
  static func port(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt16? {
    guard (1...5).contains(range.count) else { return nil }
    var value = 0
    for at in range {
      guard isDigit(text[at]) else { return nil }
      value = value * 10 + Int(text[at] - UInt8(ascii: "0"))
    }
    return UInt16(exactly: value)
  }
}
