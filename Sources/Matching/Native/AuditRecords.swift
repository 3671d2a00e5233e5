/// Follows the records of ModSecurity's audit log in its native form, in which the client's address is in one section
/// and the verdict in another:
///
/// ```
/// --5a70c866-A--
/// [21/Nov/2026:06:57:59 +0000] 179524427932.112142 192.0.2.7 42468 203.0.113.1 80
/// --5a70c866-B--
/// …
/// --5a70c866-H--
/// ModSecurity: Access denied with code 403 …
/// --5a70c866-Z--
/// ```
/// The request's body (section C) is there as the client sent it, and may hold whole records. It cannot hold the real
/// boundary, which is drawn when the record is written, after the request has ended. So from a record's start to its end
/// nothing counts but the lines with its own boundary. Where reading begins inside a record, a body can pass for one.
struct AuditRecords {
  /// A record that has not ended by then was cut off; no request body is as large unless SecRequestBodyLimit was raised.
  private static let longestRecord: UInt64 = 64 << 20
  private static let longestBoundary = 64
  private static let longestHeader = 1024

  /// The record's first line: time, id, client and server. Empty outside of records.
  private(set) var header: [UInt8] = []
  private var boundary: [UInt8] = []
  private var section: UInt8 = 0
  private var isHeaderNext = false
  /// Where the record began, and where the chunk at hand begins, in bytes of the source.
  private var began: UInt64 = 0
  private var chunk: UInt64 = 0

  /// Is a line at hand, which is no boundary itself, part of the section that holds the verdict?
  var isInVerdict: Bool { section == UInt8(ascii: "H") && !header.isEmpty }

  /// Before a chunk's lines: the line after `-A--` may be its first.
  mutating func enter(_ lines: borrowing Span<UInt8>) {
    if isHeaderNext, lines.count > 0 { takeHeader(lines, from: 0) }
  }

  /// After a chunk's lines.
  mutating func leave(_ lines: borrowing Span<UInt8>) { chunk += UInt64(lines.count) }

  static func isBoundary(_ lines: borrowing Span<UInt8>, _ line: Range<Int>) -> Bool { boundary(lines, line) != nil }

  /// A line of the chunk that is a boundary. True when it is one of the record at hand.
  mutating func take(_ lines: borrowing Span<UInt8>, line: Range<Int>) -> Bool {
    guard let found = Self.boundary(lines, line) else { return false }
    let letter = lines[line.upperBound - 3]
    if isOpen(at: line.lowerBound) {
      guard isOwn(lines, found) else { return false }
      section = letter
      if letter == UInt8(ascii: "Z") { close() }
      return true
    }
    guard letter == UInt8(ascii: "A") else { return false }
    close()
    boundary.append(lines, found)
    section = letter
    began = chunk + UInt64(line.lowerBound)
    let next = lines.firstLF(from: line.upperBound) + 1
    if next < lines.count { takeHeader(lines, from: next) } else { isHeaderNext = true }
    return true
  }

  /// Does the line that begins at `start` in the chunk belong to a record?
  func isOpen(at start: Int) -> Bool {
    !boundary.isEmpty && chunk + UInt64(start) - began < Self.longestRecord
  }

  private mutating func close() {
    header.removeAll(keepingCapacity: true)
    boundary.removeAll(keepingCapacity: true)
    section = 0
    isHeaderNext = false
  }

  private mutating func takeHeader(_ lines: borrowing Span<UInt8>, from start: Int) {
    isHeaderNext = false
    var end = lines.firstLF(from: start)
    if end > start, lines[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    guard end - start <= Self.longestHeader else { return }
    header.append(lines, start..<end)
  }

  private func isOwn(_ lines: borrowing Span<UInt8>, _ found: Range<Int>) -> Bool {
    guard found.count == boundary.count else { return false }
    for i in 0..<boundary.count where lines[found.lowerBound + i] != boundary[i] { return false }
    return true
  }

  /// The text between `--` and `-A--` in a line that consists of them; `A` may be any capital.
  private static func boundary(_ lines: borrowing Span<UInt8>, _ line: Range<Int>) -> Range<Int>? {
    let end = line.upperBound
    guard line.count >= 7, line.count <= longestBoundary + 6, starts(lines, line.lowerBound, with: "--"),
      starts(lines, end - 2, with: "--"), lines[end - 4] == UInt8(ascii: "-"),
      lines[end - 3] &- UInt8(ascii: "A") < 26
    else { return nil }
    for at in line.lowerBound + 2..<end - 4 where lines[at] <= UInt8(ascii: " ") { return nil }
    return line.lowerBound + 2..<end - 4
  }
}
