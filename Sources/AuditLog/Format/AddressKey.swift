internal import Model
internal import SQLite

/// How addresses are in the database, so that they sort, take little room and can be read in plain SQL: IPv4 as the
/// integer 0…4294967295, IPv6 as a blob of 16 bytes in network order. SQLite sorts all integers before all blobs, so a
/// range of either family is one `BETWEEN`.
struct AddressKey: Bindable {
  var address: Address

  init(_ address: Address) { self.address = address }

  func bind(to statement: Statement, at index: Int32) { statement.bind(address, index) }
}

extension Statement {
  func bind(_ address: Address, _ index: Int32) {
    if address.isIPv4 { return bind(Int64(address.ipv4), index) }
    let bytes = InlineArray<16, UInt8> { UInt8(truncatingIfNeeded: address.bits >> UInt128(120 - 8 * $0)) }
    bind(blob: bytes.span, index)
  }

  /// As text where it is UTF-8 without NUL, else as a blob: the bytes come back as they were, and `sqlite3` shows them.
  func bind(_ bytes: borrowing Span<UInt8>, _ index: Int32) {
    if UTF8Check.isText(bytes) { bind(text: bytes, index) } else { bind(blob: bytes, index) }
  }
}

extension Row {
  /// What `AddressKey` stored; nil for a name, and for NULL.
  func address(_ column: Int) -> Address? {
    if isInteger(column) { return Address(ipv4: UInt32(truncatingIfNeeded: integer(column))) }
    guard isBlob(column) else { return nil }
    return withBytes(column) { bytes in
      guard bytes.count == 16 else { return nil }
      var bits: UInt128 = 0
      for i in 0..<16 { bits = bits << 8 | UInt128(bytes[i]) }
      return Address(bits: bits)
    }
  }
}

enum UTF8Check {
  /// Valid UTF-8 without NUL.
  static func isText(_ bytes: borrowing Span<UInt8>) -> Bool {
    var ascii = true
    for i in 0..<bytes.count {
      let byte = bytes[i]
      if byte == 0 { return false }
      if byte >= 0x80 { ascii = false }
    }
    if ascii { return true }
    return (try? UTF8Span(validating: copy bytes)) != nil
  }
}
