internal import Foundation
internal import GRDB
internal import Model

/// How addresses are in the database, so that they sort, take little room and can be read in plain SQL: IPv4 as the
/// integer 0…4294967295, IPv6 as a blob of 16 bytes in network order. SQLite sorts all integers before all blobs, so a
/// range of either family is one `BETWEEN`.
struct AddressKey: DatabaseValueConvertible {
  var address: Address

  init(_ address: Address) { self.address = address }

  var databaseValue: DatabaseValue {
    if address.isIPv4 { return Int64(address.ipv4).databaseValue }
    var bytes = Data(capacity: 16)
    for shift in stride(from: 120, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: address.bits >> UInt128(shift)))
    }
    return bytes.databaseValue
  }

  static func fromDatabaseValue(_ value: DatabaseValue) -> AddressKey? {
    switch value.storage {
    case .int64(let number): AddressKey(Address(ipv4: UInt32(truncatingIfNeeded: number)))
    case .blob(let data) where data.count == 16:
      AddressKey(Address(bits: data.reduce(0) { $0 << 8 | UInt128($1) }))
    default: nil
    }
  }
}
