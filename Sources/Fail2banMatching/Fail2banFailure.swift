public import Model

/// A failure that a fail2ban filter found.
public struct Fail2banFailure {
  /// Who is counted.
  public enum Identity: Equatable, Sendable {
    case address(Address)
    /// From `<SUBNET>` or `<CIDR>`.
    case subnet(Subnet)
    /// Any text (`<F-ID>`, or a host name under `usedns = raw`): it can be counted, not blocked.
    case name([UInt8])
    /// A host name that must be resolved first (`usedns = yes` or `warn`).
    case hostname([UInt8])
  }

  /// The expression's place in the filter's `failregex`, from 0.
  public internal(set) var pattern = 0
  public internal(set) var time = Instant(microseconds: 0)
  /// Did the line say its time? If not, `time` is that of the line before, or when it was read.
  public internal(set) var isDated = false
  public internal(set) var identity = Identity.name([])
  /// The host: an address in its shortest form, a name as it is in the line; the id where there is no host.
  public internal(set) var host: [UInt8] = []
  /// All users of the line's session.
  public internal(set) var users: [[UInt8]] = []
  /// How many lines follow it: of its session, or of the same `maxlines`.
  public internal(set) var attempts = 1

  let names: FieldNames
  let userField: Int
  var fields: CapturedFields

  init(_ filter: Fail2banFilter) {
    names = filter.fields
    userField = filter.keys.user
    fields = CapturedFields(count: filter.fields.names.count)
  }

  public var address: Address? {
    if case .address(let address) = identity { address } else { nil }
  }

  /// Who is counted, as text.
  public var id: String {
    switch identity {
    case .address(let address): address.description
    case .subnet(let subnet): subnet.description
    case .name(let text), .hostname(let text): String(decoding: text, as: UTF8.self)
    }
  }

  public var user: [UInt8]? { fields.array(userField) }

  /// What a named group captured, by fail2ban's name for it (`fid`, `fport`, `ip4`, `dns`, `user` …).
  public subscript(name: String) -> [UInt8]? {
    names.names.firstIndex(of: name).flatMap { fields.array($0) }
  }

  /// Every named group that took part.
  public func forEachCapture(_ body: (String, borrowing Span<UInt8>) -> Void) {
    for (field, name) in names.names.enumerated() { _ = fields.withSpan(field) { body(name, $0) } }
  }
}
