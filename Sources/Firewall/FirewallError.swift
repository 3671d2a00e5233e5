/// Why the firewall could not be changed: one line that ends with the remedy where there is one.
public struct FirewallError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: String, Hashable, Sendable {
    /// Neither root nor CAP_NET_ADMIN.
    case notPermitted
    /// `ipset`, `iptables` … is not installed.
    case programMissing
    /// The kernel has no ipset (module `ip_set`), or no such set type.
    case kernelSupport
    /// A program ended with an error.
    case programFailed
    /// A program did not end within its deadline.
    case timedOut
    /// The netlink socket failed.
    case netlink
    /// The set holds as many entries as it may.
    case setFull
    /// The set is not there: another program removed it, or the jail is not known.
    case setMissing
    /// A jail, chain, port or block that cannot be used.
    case invalid
    /// This family is not filtered here (`prepare` said why).
    case familyUnavailable
    /// Another daemon carries out bans in this network namespace.
    case inUse
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
