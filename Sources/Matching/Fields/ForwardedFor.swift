public import Model

/// What proxies say of whom they spoke for: `X-Forwarded-For` (`203.0.113.9, 10.0.0.4:4711`) and `Forwarded` (RFC 7239:
/// `for="[2001:db8::7]:4711";proto=https, for=10.0.0.4`).
public enum ForwardedFor {
  /// The rightmost address that is no trusted proxy's: each proxy appends who connected to it, so what is left of that one is
  /// the client's own text. Nil where there is none, or where something else than an address comes first from the right
  /// (`unknown`, `_hidden`, garbage), since nobody knows who wrote what is left of it.
  public static func client(_ text: borrowing Span<UInt8>, isTrusted: (Address) -> Bool) -> Address? {
    var end = text.count
    while end > 0 {
      var start = end
      while start > 0, text[start - 1] != UInt8(ascii: ",") { start -= 1 }
      guard let address = address(text, start..<end) else { return nil }
      if !isTrusted(address) { return address }
      end = max(0, start - 1)
    }
    return nil
  }

  /// The address of one entry.
  private static func address(_ text: borrowing Span<UInt8>, _ entry: Range<Int>) -> Address? {
    var range = trimmed(text, entry)
    if let node = node(text, range) { range = trimmed(text, node) }
    if range.count >= 2, text[range.lowerBound] == UInt8(ascii: "\""), text[range.upperBound - 1] == UInt8(ascii: "\"")
    {
      range = range.lowerBound + 1..<range.upperBound - 1
    }
    guard range.count >= 2, range.count <= 64 else { return nil }
    return HostText.address(text, range, hasPort: false)?.address
  }

  /// The value of RFC 7239's `for=` among the parameters of an entry.
  private static func node(_ text: borrowing Span<UInt8>, _ entry: Range<Int>) -> Range<Int>? {
    var start = entry.lowerBound
    while start < entry.upperBound {
      var end = start
      while end < entry.upperBound, text[end] != UInt8(ascii: ";") { end += 1 }
      let parameter = trimmed(text, start..<end)
      if parameter.count > 4, text[parameter.lowerBound] | 0x20 == UInt8(ascii: "f"),
        text[parameter.lowerBound + 1] | 0x20 == UInt8(ascii: "o"),
        text[parameter.lowerBound + 2] | 0x20 == UInt8(ascii: "r"), text[parameter.lowerBound + 3] == UInt8(ascii: "=")
      {
        return parameter.lowerBound + 4..<parameter.upperBound
      }
      start = end + 1
    }
    return nil
  }

  private static func trimmed(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, text[start] == UInt8(ascii: " ") || text[start] == UInt8(ascii: "\t") { start += 1 }
    while end > start, text[end - 1] == UInt8(ascii: " ") || text[end - 1] == UInt8(ascii: "\t") { end -= 1 }
    return start..<end
  }
}
