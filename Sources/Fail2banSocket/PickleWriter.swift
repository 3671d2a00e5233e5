/// Writes answers as pickles of protocol 2, which every Python and the other readers of fail2ban's answers know.
struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]

  static func write(_ value: PickleValue) -> [UInt8] {
    var writer = PickleWriter()
    writer.append(value)
    return writer.bytes + [UInt8(ascii: ".")]
  }

  private mutating func append(_ value: PickleValue) {
    switch value {
    case .none: bytes.append(UInt8(ascii: "N"))
    case .bool(let flag): bytes.append(flag ? 0x88 : 0x89)
    case .int(let number):
      if let small = Int32(exactly: number) {
        bytes.append(UInt8(ascii: "J"))
        append(UInt64(UInt32(bitPattern: small)), count: 4)
      } else {
        bytes += [0x8a, 8]
        append(UInt64(bitPattern: Int64(number)), count: 8)
      }
    case .float(let number):
      bytes.append(UInt8(ascii: "G"))
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
      }
    case .text(let text):
      bytes.append(UInt8(ascii: "X"))
      append(UInt64(text.utf8.count), count: 4)
      bytes += text.utf8
    case .list(let items): append(items, between: [UInt8(ascii: "]"), UInt8(ascii: "(")], and: UInt8(ascii: "e"))
    case .tuple(let items): append(items, between: [UInt8(ascii: "(")], and: UInt8(ascii: "t"))
    case .dictionary(let members):
      bytes += Array("}(".utf8)
      for member in members {
        append(.text(member.key))
        append(member.value)
      }
      bytes.append(UInt8(ascii: "u"))
    case .object(let module, let name, let arguments):
      // GLOBAL, its arguments, REDUCE.
      bytes += Array("c\(module)\n\(name)\n".utf8)
      append(.tuple(arguments))
      bytes.append(UInt8(ascii: "R"))
    }
  }

  private mutating func append(_ items: [PickleValue], between start: [UInt8], and end: UInt8) {
    bytes += start
    for item in items { append(item) }
    bytes.append(end)
  }

  /// Little-endian.
  private mutating func append(_ value: UInt64, count: Int) {
    for shift in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (shift * 8))) }
  }
}
