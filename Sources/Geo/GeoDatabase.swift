internal import CMaxMindDB
public import Model
internal import System

/// A file in MaxMind's format (`.mmdb`), open for lookups: countries, networks, or both.
///
/// ```swift
/// let database = try GeoDatabase(path: "/var/lib/GeoIP/GeoLite2-Country.mmdb")
/// database.facts(of: Address("192.0.2.7")!).country     // "DE", say
/// try database.subnets(countries: ["DE"])               // all its blocks
/// ```
///
/// It is read from a copy in memory: the library maps files, and an administrator who copies a new database over the old one
/// (`cp`, not `mv`) would cut off what is mapped, which ends the process with SIGBUS.
// Unchecked: the database is written when it is opened and not again; lookups may be made by several threads at once
// (libmaxminddb(3), "THREAD SAFETY").
@safe public final class GeoDatabase: @unchecked Sendable {
  let library: MaxMindLibrary
  let raw: UnsafeMutablePointer<MMDB_s>
  let path: String
  /// Of an `init` that throws `deinit` runs, too.
  private var isOpen = false

  /// Bytes that a database may have: MaxMind's largest has some 500 MB.
  public static let sizeLimit = 1 << 30

  /// - Throws: when the file cannot be read or is no database.
  public init(path: String) throws(GeoProblem) {
    library = try MaxMindLibrary.load()
    self.path = path
    // Safe: freed by `deinit`.
    unsafe raw = .allocate(capacity: 1)
    let code: Int32
    do throws(SystemError) {
      let copy = try Descriptor.memoryFile("mmdb")
      try copy.write(try SmallFile.read(path, limit: Self.sizeLimit))
      // Safe: the library maps what the descriptor leads to, and needs neither path nor descriptor afterwards.
      code = unsafe library.functions.open("/proc/self/fd/\(copy.raw)", UInt32(MMDB_MODE_MMAP), raw)
    } catch {
      throw GeoProblem("\(error)")
    }
    guard code == MMDB_SUCCESS else {
      // Safe: a static text.
      let why = unsafe library.functions.strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
      throw GeoProblem("\(path) is no database of countries or networks (mmdb): \(why)")
    }
    isOpen = true
  }

  deinit {
    // Safe: opened by `init`; nobody else has the pointer. What could not be opened the library has let go itself.
    if isOpen { unsafe library.functions.close(raw) }
    unsafe raw.deallocate()
  }

  /// What kind of database it says it is: `GeoLite2-Country`.
  public var type: String {
    // Safe: a text that lives as long as the database.
    unsafe raw.pointee.metadata.database_type.map { unsafe String(cString: $0) } ?? "unknown"
  }

  /// What it says of an address.
  public func facts(of address: Address) -> GeoFacts {
    var bytes: [UInt8] = []
    for place in address.isIPv4 ? 12..<16 : 0..<16 {
      bytes.append(UInt8(truncatingIfNeeded: address.bits >> UInt128((15 - place) * 8)))
    }
    // Safe: the array is read during the call.
    let offset = unsafe withUnsafePointer(to: library.functions) { functions in
      unsafe bailiff_mmdb_find(functions, raw, bytes, bytes.count)
    }
    guard let offset = UInt32(exactly: offset) else { return GeoFacts() }
    return GeoFacts(
      country: country(ofRecord: offset), network: network(ofRecord: offset), networkName: networkName(ofRecord: offset)
    )
  }

  // MARK: Records

  /// ISO 3166's code in capitals. MaxMind's and DB-IP's databases have it in a map, IPinfo's and others' flat.
  func country(ofRecord offset: UInt32) -> String? {
    for (key, inner) in [("country", "iso_code"), ("country_code", nil), ("country", nil)] as [(String, String?)] {
      if let text = text(offset, key, inner), text.utf8.count == 2 { return text.uppercased() }
    }
    return nil
  }

  /// The number of the autonomous system (RFC 6793); IPinfo writes `AS64496`.
  func network(ofRecord offset: UInt32) -> UInt32? {
    for key in ["autonomous_system_number", "asn"] {
      let value = unsafe value(offset, key, nil)
      if unsafe value.number > 0 { return unsafe value.number }
      if let text = text(offset, key, nil), let number = GeoFacts.networkNumber(text) { return number }
    }
    return nil
  }

  private func networkName(ofRecord offset: UInt32) -> String? {
    for key in ["autonomous_system_organization", "as_name", "isp"] {
      if let text = text(offset, key, nil), !text.isEmpty { return text }
    }
    return nil
  }

  private func text(_ offset: UInt32, _ key: String, _ inner: String?) -> String? {
    let value = unsafe value(offset, key, inner)
    guard let start = unsafe value.text else { return nil }
    // Safe: the library has checked that the text lies within the database, which lives as long as `self`.
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(value.length))
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private func value(_ offset: UInt32, _ key: String, _ inner: String?) -> bailiff_mmdb_value {
    // Safe: keys and functions are read during the call.
    unsafe withUnsafePointer(to: library.functions) { functions in
      if let inner { return unsafe bailiff_mmdb_value(functions, raw, offset, key, inner) }
      return unsafe bailiff_mmdb_value(functions, raw, offset, key, nil)
    }
  }
}
