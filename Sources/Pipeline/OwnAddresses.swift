public import LockoutGuard
public import Model
public import Settings

/// Addresses that are never counted, whatever the jails say.
public enum OwnAddresses {
  /// With `ignoreself`, loopback and every address of this machine's interfaces.
  public static func ignored(_ settings: Settings) -> [Subnet] {
    guard settings.ignoreself else { return [] }
    return [Subnet("127.0.0.0/8")!, Subnet("::1")!] + Protected.collect().own.sorted().map { Subnet($0) }
  }
}

extension Settings.ProtectSessions {
  public var spared: SparedSessions {
    switch self {
    case .none: .none
    case .administrators: .administrators
    case .everybody: .everybody
    }
  }
}
