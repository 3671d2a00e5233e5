internal import CNATS

/// libnats as this machine has it, loaded when it is first asked for.
// Unchecked: function pointers of a library that is never unloaded, written once.
@safe struct NATSLibrary: @unchecked Sendable {
  let functions: bailiff_nats

  /// Its file names tell the minor version (Debian 12: libnats.so.3.4, Debian 13: 3.10).
  private static let names = (4...40).map { "libnats.so.3.\($0)" } + ["libnats.so"]

  private static let loaded: Result<NATSLibrary, FleetError> = {
    for name in names {
      // Safe: pointers that the next call fills; one that stays NULL is reported and the struct is not used.
      var functions = bailiff_nats()
      // Safe: the name is read during the call; the answer is not used.
      if unsafe bailiff_nats_load(&functions, name) == nil { return .success(NATSLibrary(functions: functions)) }
    }
    return .failure(
      FleetError("libnats 3.4 or later is not there", remedy: "apt install libnats3.4 (Debian 13: libnats3.10)"))
  }()

  static func load() throws(FleetError) -> NATSLibrary { try loaded.get() }
}

/// Why something of the fleet did not go.
public struct FleetError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var remedy: String?

  public init(_ message: String, remedy: String? = nil) {
    self.message = message
    self.remedy = remedy
  }

  public var description: String { remedy.map { "\(message); \($0)" } ?? message }
}
