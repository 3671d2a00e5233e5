public import Model

/// When a person is told. What is nil or false is not looked for.
public struct AlertLimits: Sendable, Equatable {
  /// What a rate may count, and over how long.
  public static let counts = 2...64
  public static let longest = TimeSpan.hours(7 * 24)

  /// A login after so many failures of its address.
  public var loginAfterFailures: Rate? = Rate(count: 5, span: .hours(24))
  /// A network is new to an account that has not used it for so long.
  public var newNetwork: TimeSpan? = .hours(30 * 24)
  /// So many addresses at one account.
  public var manyAddresses: Rate? = Rate(count: 20, span: .hours(24))
  /// One address at so many accounts.
  public var manyAccounts: Rate? = Rate(count: 10, span: .hours(24))
  public var bannedLogin = true
  /// An account that becomes root, or uses sudo, for the first time.
  public var firstPrivilege = true

  public init() {}

  /// Nobody is told anything.
  public static var none: AlertLimits {
    var limits = AlertLimits()
    limits.loginAfterFailures = nil
    limits.newNetwork = nil
    limits.manyAddresses = nil
    limits.manyAccounts = nil
    limits.bannedLogin = false
    limits.firstPrivilege = false
    return limits
  }

  /// How far back failures matter; nil: they do not.
  public var span: TimeSpan? { [loginAfterFailures, manyAddresses, manyAccounts].compactMap { $0?.span }.max() }
}
