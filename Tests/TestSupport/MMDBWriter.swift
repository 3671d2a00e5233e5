import Foundation

/// Writes databases in MaxMind's format, version 2 (https://maxmind.github.io/MaxMind-DB/), with records of 28 bits.
///
/// ```swift
/// var writer = MMDBWriter(type: "Test-Country")
/// writer.add("198.51.100.0/24", ["country": ["iso_code": "DE"]])
/// try writer.write(to: path)
/// ```
public struct MMDBWriter {
  public indirect enum Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByDictionaryLiteral {
    case text(String)
    case number(UInt32)
    case map([(String, Value)])

    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: UInt32) { self = .number(value) }
    public init(dictionaryLiteral elements: (String, Value)...) { self = .map(elements) }
  }

  private enum Side {
    case nothing
    case node(Int)
    case data(Int)
  }

  private let type: String
  private let isIPv6: Bool
  private var nodes: [[Side]] = [[.nothing, .nothing]]
  private var data: [UInt8] = []
  private var offsets: [[UInt8]: Int] = [:]

  public init(type: String, isIPv6: Bool = true) {
    self.type = type
    self.isIPv6 = isIPv6
  }

  /// Adds a block, wider ones before those within them.
  public mutating func add(_ block: String, _ value: Value) {
    let (bits, length) = Self.parse(block)
    let offset = offset(of: Self.encoded(value))
    set(
      isIPv6 && bits.count == 32 ? [Bool](repeating: false, count: 96) + bits : bits,
      (isIPv6 && bits.count == 32 ? 96 : 0) + length, .data(offset))
  }

  /// Leads ::ffff:0:0/96 and 2002::/16 to where IPv4 is, as MaxMind's own databases do.
  public mutating func addAliases() {
    var start = 0
    for _ in 0..<96 {
      guard case .node(let next) = nodes[start][0] else { return }
      start = next
    }
    let (mapped, _) = Self.parse("::ffff:0:0/96")
    set(mapped, 96, .node(start))
    let (sixToFour, _) = Self.parse("2002::/16")
    set(sixToFour, 16, .node(start))
  }

  /// Replaces a file that is there in one step, as geoipupdate(1) does.
  public func write(to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path), options: .atomic)
  }

  public var bytes: [UInt8] {
    var all: [UInt8] = []
    for node in nodes {
      let (left, right) = (record(node[0]), record(node[1]))
      all += [UInt8(left >> 16 & 255), UInt8(left >> 8 & 255), UInt8(left & 255)]
      all.append(UInt8(left >> 24 & 15) << 4 | UInt8(right >> 24 & 15))
      all += [UInt8(right >> 16 & 255), UInt8(right >> 8 & 255), UInt8(right & 255)]
    }
    all += [UInt8](repeating: 0, count: 16) + data
    all += [0xAB, 0xCD, 0xEF] + Array("MaxMind.com".utf8)
    return all + metadata
  }

  /// libmaxminddb insists on the types of the specification's "Database Metadata".
  private var metadata: [UInt8] {
    func member(_ name: String, _ value: [UInt8]) -> [UInt8] { Self.encoded(.text(name)) + value }
    func number16(_ value: UInt8) -> [UInt8] { Self.control(5, 2) + [0, value] }
    return Self.control(7, 9) + member("node_count", Self.encoded(.number(UInt32(nodes.count))))
      + member("record_size", number16(28)) + member("ip_version", number16(isIPv6 ? 6 : 4))
      + member("database_type", Self.encoded(.text(type))) + member("binary_format_major_version", number16(2))
      + member("binary_format_minor_version", number16(0))
      // Types above 7 have a byte of their own: 64 bits are 9, a list is 11.
      + member("build_epoch", [4, 2, 0x65, 0x53, 0xF1, 0]) + member("languages", [1, 4] + Self.encoded("en"))
      + member("description", Self.encoded(["en": "for tests"]))
  }

  private func record(_ side: Side) -> Int {
    switch side {
    case .nothing: nodes.count
    case .node(let number): number
    case .data(let offset): nodes.count + 16 + offset
    }
  }

  private mutating func set(_ bits: [Bool], _ length: Int, _ value: Side) {
    var node = 0
    for depth in 0..<length {
      let side = bits[depth] ? 1 : 0
      if depth == length - 1 {
        nodes[node][side] = value
        return
      }
      if case .node(let next) = nodes[node][side] {
        node = next
      } else {
        // What was said of the wider block goes on for both halves.
        nodes.append([nodes[node][side], nodes[node][side]])
        nodes[node][side] = .node(nodes.count - 1)
        node = nodes.count - 1
      }
    }
  }

  private mutating func offset(of value: [UInt8]) -> Int {
    if let known = offsets[value] { return known }
    let offset = data.count
    data += value
    offsets[value] = offset
    return offset
  }

  private static func parse(_ block: String) -> (bits: [Bool], length: Int) {
    let parts = block.split(separator: "/")
    var bytes = [UInt8](repeating: 0, count: 16)
    let isIPv4 = !block.contains(":")
    guard parts.count == 2, let length = Int(parts[1]),
      unsafe inet_pton(isIPv4 ? AF_INET : AF_INET6, String(parts[0]), &bytes) == 1
    else { preconditionFailure("\(block) is no block") }
    let bits = bytes.prefix(isIPv4 ? 4 : 16).flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 == 1 } }
    return (bits, length)
  }

  /// "Data Field Format": a control byte of type and size, and the value.
  private static func encoded(_ value: Value) -> [UInt8] {
    switch value {
    case .text(let text): return control(2, text.utf8.count) + Array(text.utf8)
    case .number(let number):
      return control(6, 4) + (0..<4).map { UInt8(number >> UInt32((3 - $0) * 8) & 255) }
    case .map(let members):
      return control(7, members.count) + members.flatMap { encoded(.text($0.0)) + encoded($0.1) }
    }
  }

  private static func control(_ type: UInt8, _ size: Int) -> [UInt8] {
    size < 29 ? [type << 5 | UInt8(size)] : [type << 5 | 29, UInt8(size - 29)]
  }
}
