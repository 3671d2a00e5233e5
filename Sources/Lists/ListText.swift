public import Model

/// Reads a list as it is published: an address or a block a line, with whatever else stands on it.
///
/// Known are plain addresses and CIDR (netset, Spamhaus' DROP with `;`), `ipset save` (`add NAME ENTRY`), hosts.deny (`ALL: ENTRY`),
/// ranges (`FIRST-LAST`, and DShield's columns: first, last, prefix), CSV and TSV, and JSON lines with a key `cidr`, `ip`, `ip_prefix`, `ipv6_prefix`
/// or `network`. `#`, `;`, `!` and `//` begin a comment.
public struct ListText: Sendable {
  public private(set) var subnets: [Subnet] = []
  /// Lines that hold something, and those of them without an address.
  public private(set) var lines = 0
  public private(set) var strange = 0
  /// The first line without an address, for people, and its number.
  public private(set) var firstStrange: (line: Int, text: String)?

  /// - Parameter limit: entries that are taken; more of them make `isTooLong`.
  public init(_ bytes: Span<UInt8>, limit: Int = .max) {
    var start = 0
    var number = 0
    while start < bytes.count, !isTooLong {
      var end = start
      while end < bytes.count, bytes[end] != 10, bytes[end] != 13 { end += 1 }
      number += 1
      if end > start { read(bytes.extracting(start..<end), number) }
      start = end + (end + 1 < bytes.count && bytes[end] == 13 && bytes[end + 1] == 10 ? 2 : 1)
      isTooLong = subnets.count > limit
    }
  }

  public private(set) var isTooLong = false

  /// Is this something else: a page that says why there is no list, say?
  public var isNoList: Bool { strange * 2 > lines || (subnets.isEmpty && isAboutItself) }
  /// Has it objects of JSON without an address? A list ends with one about itself, and an error is nothing else.
  private var isAboutItself = false

  private mutating func read(_ raw: Span<UInt8>, _ number: Int) {
    if let subnet = Self.plain(raw) {
      lines += 1
      subnets.append(subnet)
      return
    }
    // A list's lines are short; what is longer is something else.
    var bytes: [UInt8] = []
    for place in 0..<min(raw.count, 1024) { bytes.append(raw[place]) }
    let text = String(decoding: bytes, as: UTF8.self)
    let line = Self.withoutComment(text.drop { $0.isWhitespace || $0 == "\u{FEFF}" })
    guard !line.isEmpty, line != "[", line != "]" else { return }
    lines += 1
    let before = subnets.count
    if line.first == "{" { readJSON(line) } else { readFields(line) }
    guard subnets.count == before else { return }
    if firstStrange == nil { firstStrange = (number, String(line.prefix(80))) }
    if line.first == "{" {
      isAboutItself = true
      lines -= 1
    } else {
      // A CSV begins with its columns' names.
      strange += 1
    }
  }

  /// A line that is an address or a block and nothing else but a remark, which nearly all are.
  private static func plain(_ line: Span<UInt8>) -> Subnet? {
    var end = 0
    while end < line.count, !isBlank(line[end]) { end += 1 }
    var rest = end
    while rest < line.count, isBlank(line[rest]) { rest += 1 }
    guard rest == line.count || line[rest] == UInt8(ascii: "#") || line[rest] == UInt8(ascii: ";") else { return nil }
    var slash = 0
    while slash < end, line[slash] != UInt8(ascii: "/") { slash += 1 }
    guard let address = Address(parsing: line.extracting(0..<slash)) else { return nil }
    guard slash < end else { return Subnet(address) }
    var prefix = 0
    guard (1...3).contains(end - slash - 1) else { return nil }
    for place in slash + 1..<end {
      guard (48...57).contains(line[place]) else { return nil }
      prefix = prefix * 10 + Int(line[place] - 48)
    }
    guard prefix <= (address.isIPv4 ? 32 : 128) else { return nil }
    return Subnet(address, length: UInt8(address.isIPv4 ? 96 + prefix : prefix))
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

  private static func withoutComment(_ line: Substring) -> Substring {
    if line.hasPrefix("//") || line.hasPrefix("!") { return "" }
    return line[..<(line.firstIndex { $0 == "#" || $0 == ";" } ?? line.endIndex)]
  }

  private mutating func readFields(_ line: Substring) {
    let separators: Set<Character> = [",", "\t", " ", "|", "\"", "'"]
    let fields = line.split { separators.contains($0) }
    for (index, field) in fields.enumerated() {
      if let subnet = Subnet(field) {
        subnets.append(Self.block(from: subnet, fields[index...]) ?? subnet)
        return
      }
      let ends = field.split(separator: "-")
      if ends.count == 2, let first = Address(ends[0]), let last = Address(ends[1]), let range = Self.range(first, last)
      {
        subnets += range
        return
      }
      // hosts.deny, and lists with a name before the range.
      if let colon = field.lastIndex(of: ":"), let subnet = Subnet(field[field.index(after: colon)...]), subnet.isIPv4 {
        subnets.append(subnet)
        return
      }
    }
  }

  /// DShield's columns. Any other two addresses beside each other are a client and its server, say, and never a range: it would
  /// hold everybody in between.
  private static func block(from first: Subnet, _ fields: ArraySlice<Substring>) -> Subnet? {
    guard first.isSingleAddress, fields.count >= 3, let last = Address(fields[fields.startIndex + 1]),
      let prefix = UInt8(fields[fields.startIndex + 2]), prefix <= (first.isIPv4 ? 32 : 128)
    else { return nil }
    let block = Subnet(first.base, ipv4Prefix: prefix, ipv6Prefix: prefix)
    return block.base == first.base && block.last == last ? block : nil
  }

  private mutating func readJSON(_ line: Substring) {
    for key in ["\"cidr\"", "\"ip\"", "\"ip_prefix\"", "\"ipv6_prefix\"", "\"network\""] {
      guard let range = line.firstRange(of: key) else { continue }
      let rest = line[range.upperBound...].drop { $0 == " " || $0 == ":" }
      guard rest.first == "\"" else { continue }
      let value = rest.dropFirst().prefix { $0 != "\"" }
      if let subnet = Subnet(value) { subnets.append(subnet) }
      return
    }
  }

  /// The blocks that make up a range; nil when its ends are not in order, or of two families.
  static func range(_ first: Address, _ last: Address) -> [Subnet]? {
    guard first.isIPv4 == last.isIPv4, first.bits <= last.bits else { return nil }
    var blocks: [Subnet] = []
    var next = first.bits
    while true {
      // As wide as the start is aligned, and not past the end.
      var width = min(next == 0 ? 128 : next.trailingZeroBitCount, first.isIPv4 ? 32 : 127)
      while width > 0, last.bits - next < (1 << UInt128(width)) - 1 { width -= 1 }
      blocks.append(Subnet(Address(bits: next), length: UInt8(128 - width)))
      let (end, overflow) = next.addingReportingOverflow(1 << UInt128(width))
      guard !overflow, end <= last.bits else { return blocks }
      next = end
    }
  }
}
