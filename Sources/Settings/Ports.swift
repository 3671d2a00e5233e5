internal import Glibc

/// Which ports a ban closes.
public enum Ports: Hashable, Sendable {
  /// Every port and every protocol.
  case all
  /// Sorted, without overlaps.
  case list([ClosedRange<UInt16>])

  public init(ranges: [ClosedRange<UInt16>]) {
    var merged: [ClosedRange<UInt16>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    self = .list(merged)
  }

  /// A number, a service's name, or a range as `1000:2000` or `1000-2000`.
  public static func range(_ text: String) -> ClosedRange<UInt16>? {
    if let port = number(text) { return port...port }
    for separator in [":", "-"] as [Character] {
      let ends = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
      if ends.count == 2, let first = number(ends[0]), let last = number(ends[1]) {
        return first <= last ? first...last : nil
      }
    }
    return service(text).map { $0...$0 }
  }

  private static func number(_ text: some StringProtocol) -> UInt16? {
    guard text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(text), port > 0 else { return nil }
    return port
  }

  /// The usual services first, since `/etc/services` is missing on small machines (netbase is not installed there).
  private static func service(_ name: String) -> UInt16? {
    if let port = wellKnown[name] { return port }
    guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
    // Safe: the result points into a static of libc (getservbyname(3)) and is read at once; settings are read by one
    // thread at a time, and nothing else in the program asks for services.
    guard let entry = unsafe getservbyname(name, nil) else { return nil }
    return unsafe UInt16(truncatingIfNeeded: entry.pointee.s_port).byteSwapped
  }

  /// For "did you mean".
  static let names = wellKnown.keys.sorted()

  /// IANA's numbers, and the aliases that fail2ban's jails use.
  private static let wellKnown: [String: UInt16] = [
    "ssh": 22, "sftp": 115, "telnet": 23, "ftp": 21, "ftp-data": 20, "ftps": 990, "ftps-data": 989,
    "smtp": 25, "submission": 587, "submissions": 465, "smtps": 465, "ssmtp": 465, "pop3": 110, "pop3s": 995,
    "imap": 143, "imap2": 143, "imap3": 220, "imaps": 993, "sieve": 4190, "http": 80, "https": 443, "domain": 53,
    "ldap": 389, "ldaps": 636, "mysql": 3306, "postgresql": 5432, "sip": 5060, "sips": 5061, "sip-tls": 5061,
    "xmpp-client": 5222, "socks": 1080, "openvpn": 1194, "squid": 3128, "http-alt": 8080,
  ]
}

extension Ports: CustomStringConvertible {
  /// `all`, or as iptables' multiport takes it: `22,80:90`.
  public var description: String {
    switch self {
    case .all: "all"
    case .list(let ranges):
      ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)" }.joined(separator: ",")
    }
  }
}

/// The protocol whose ports a ban closes.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable { case tcp, udp, sctp, dccp, udplite }
