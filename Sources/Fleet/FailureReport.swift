public import Model

/// One folded batch as it travels: what one server saw, by jail, address and second. Little-endian: version (1), number of jails
/// (u16), store (u32), from and to (u64): the numbers of failures in the server's own log that it covers; the jails' names (u8
/// length, bytes); number of entries (u32); entries of 32 bytes: address (its upper and its lower half, u64), second since 1970
/// (u32), jail (u16), count (u16), hash of the user (u64, 0: none).
public struct FailureReport: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var address: Address
    public var second: UInt32
    public var jail: UInt16
    /// What they weigh, 4095 at most.
    public var count: UInt16
    public var user: UInt64

    public init(address: Address, second: UInt32, jail: UInt16, count: UInt16, user: UInt64 = 0) {
      self.address = address
      self.second = second
      self.jail = jail
      self.count = count
      self.user = user
    }
  }

  /// Which log of the server it is from: one that was begun again counts from 1.
  public var store: UInt32
  /// The failures behind this number, up to `to`.
  public var from: UInt64
  public var to: UInt64
  public var jails: [String]
  public var entries: [Entry]

  /// 320 kB: a third of what NATS takes unless told.
  public static let mostEntries = 10_000
  private static let entrySize = 32
  private static let version: UInt8 = 1

  public init(store: UInt32, from: UInt64, to: UInt64, jails: [String] = [], entries: [Entry] = []) {
    self.store = store
    self.from = from
    self.to = to
    self.jails = jails
    self.entries = entries
  }

  public var bytes: [UInt8] {
    var bytes: [UInt8] = [Self.version]
    bytes.reserveCapacity(64 + entries.count * Self.entrySize)
    func put<Number: FixedWidthInteger>(_ number: Number) {
      for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    put(UInt16(jails.count))
    put(store)
    put(from)
    put(to)
    for jail in jails {
      let text = jail.utf8.prefix(255)
      bytes.append(UInt8(text.count))
      bytes += text
    }
    put(UInt32(entries.count))
    for entry in entries {
      put(UInt64(truncatingIfNeeded: entry.address.bits >> 64))
      put(UInt64(truncatingIfNeeded: entry.address.bits))
      put(entry.second)
      put(entry.jail)
      put(entry.count)
      put(entry.user)
    }
    return bytes
  }

  /// Nil for what `bytes` does not write: whoever publishes may be anybody.
  public init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    guard reader.number(UInt8.self) == Self.version, let jailCount = reader.number(UInt16.self), jailCount <= 1000,
      let store = reader.number(UInt32.self), let from = reader.number(UInt64.self),
      let to = reader.number(UInt64.self), to >= from
    else { return nil }
    self.init(store: store, from: from, to: to)
    for _ in 0..<jailCount {
      guard let length = reader.number(UInt8.self), let text = reader.take(Int(length)) else { return nil }
      jails.append(String(decoding: text, as: UTF8.self))
    }
    guard let count = reader.number(UInt32.self), count <= Self.mostEntries,
      bytes.count - reader.offset == Int(count) * Self.entrySize
    else { return nil }
    entries.reserveCapacity(Int(count))
    for _ in 0..<count {
      // There are as many bytes as that.
      let (high, low) = (reader.next(UInt64.self), reader.next(UInt64.self))
      let entry = Entry(
        address: Address(bits: UInt128(high) << 64 | UInt128(low)), second: reader.next(UInt32.self),
        jail: reader.next(UInt16.self), count: reader.next(UInt16.self), user: reader.next(UInt64.self))
      guard entry.jail < jailCount else { return nil }
      entries.append(entry)
    }
  }

  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
      guard bytes.count - offset >= count else { return nil }
      offset += count
      return bytes[offset - count..<offset]
    }

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number? {
      guard bytes.count - offset >= MemoryLayout<Number>.size else { return nil }
      return next(Number.self)
    }

    /// The caller knows that there are as many bytes.
    mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number {
      let size = MemoryLayout<Number>.size
      precondition(offset + size <= bytes.count)
      defer { offset += size }
      // Safe: the bytes are there; a number may be read from anywhere.
      let number = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
      return Number(littleEndian: number)
    }
  }
}
