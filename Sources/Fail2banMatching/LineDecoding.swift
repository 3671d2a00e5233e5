internal import Filters
internal import Matching

/// Makes a line valid UTF-8, as fail2ban's patterns expect it: what cannot be decoded becomes U+FFFD, one for each longest
/// part that could have begun a character (Unicode 15, section 3.9, "U+FFFD Substitution of Maximal Subparts").
extension LogEncoding {
  /// False, and nothing in `out`, when the line is plain ASCII and can stay where it is.
  func decode(_ line: borrowing Span<UInt8>, into out: inout [UInt8]) -> Bool {
    var high: UInt8 = 0
    for at in line.indices { high |= line[at] }
    guard high >= 0x80 else { return false }
    out.removeAll(keepingCapacity: true)
    switch self {
    case .utf8: Self.repair(line, &out)
    case .ascii:
      for at in line.indices {
        if line[at] < 0x80 { out.append(line[at]) } else { out.appendReplacement() }
      }
    case .latin1:
      for at in line.indices { out.append(scalar: UInt16(line[at])) }
    case .latin9:
      for at in line.indices { out.append(scalar: Self.latin9Scalars[line[at]] ?? UInt16(line[at])) }
    case .windows1252:
      for at in line.indices {
        let byte = line[at]
        if byte >= 0x80, byte < 0xA0 {
          let scalar = Self.windows1252Scalars[Int(byte) - 0x80]
          if scalar == 0 { out.appendReplacement() } else { out.append(scalar: scalar) }
        } else {
          out.append(scalar: UInt16(byte))
        }
      }
    }
    return true
  }

  private static func repair(_ line: borrowing Span<UInt8>, _ out: inout [UInt8]) {
    var at = 0
    while at < line.count {
      let byte = line[at]
      guard byte >= 0x80 else {
        out.append(byte)
        at += 1
        continue
      }
      var next = at + 1
      if let end = end(of: line, from: at, &next) {
        out.append(line, at..<end)
      } else {
        out.appendReplacement()
      }
      at = next
    }
  }

  /// Where the character that begins at `start` ends; nil when it is none. `next` is set behind what was looked at.
  private static func end(of line: borrowing Span<UInt8>, from start: Int, _ next: inout Int) -> Int? {
    let first = line[start]
    var allowed: ClosedRange<UInt8> = 0x80...0xBF
    let more: Int
    switch first {
    case 0xC2...0xDF: more = 1
    case 0xE0...0xEF:
      more = 2
      if first == 0xE0 { allowed = 0xA0...0xBF } else if first == 0xED { allowed = 0x80...0x9F }
    case 0xF0...0xF4:
      more = 3
      if first == 0xF0 { allowed = 0x90...0xBF } else if first == 0xF4 { allowed = 0x80...0x8F }
    default: return nil
    }
    for _ in 0..<more {
      guard next < line.count, allowed.contains(line[next]) else { return nil }
      allowed = 0x80...0xBF
      next += 1
    }
    return next
  }

  /// Where ISO-8859-15 is not ISO-8859-1 (https://encoding.spec.whatwg.org/index-iso-8859-15.txt).
  private static let latin9Scalars: [UInt8: UInt16] = [
    0xA4: 0x20AC, 0xA6: 0x160, 0xA8: 0x161, 0xB4: 0x17D, 0xB8: 0x17E, 0xBC: 0x152, 0xBD: 0x153, 0xBE: 0x178,
  ]

  /// What the bytes 0x80 to 0x9F mean (https://encoding.spec.whatwg.org/index-windows-1252.txt); 0: nothing.
  private static let windows1252Scalars: [UInt16] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
    0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
    0x0178,
  ]
}

extension Array where Element == UInt8 {
  fileprivate mutating func appendReplacement() {
    append(0xEF)
    append(0xBF)
    append(0xBD)
  }

  fileprivate mutating func append(scalar: UInt16) {
    switch scalar {
    case 0..<0x80: append(UInt8(scalar))
    case 0x80..<0x800:
      append(UInt8(0xC0 | scalar >> 6))
      append(UInt8(0x80 | scalar & 0x3F))
    default:
      append(UInt8(0xE0 | scalar >> 12))
      append(UInt8(0x80 | scalar >> 6 & 0x3F))
      append(UInt8(0x80 | scalar & 0x3F))
    }
  }
}
