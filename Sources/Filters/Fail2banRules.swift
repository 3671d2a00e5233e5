/// A fail2ban filter after includes, overrides, options and interpolation; fail2ban's tags (`<HOST>`, `<F-USER>` …) still
/// are in the expressions.
public struct Fail2banRules: Sendable, Equatable {
  public enum DNS: String, Sendable { case yes, warn, no, raw }

  public var prefregex: String?
  public var failregex: [String]
  public var ignoreregex: [String]
  /// As written; nil: the default templates. Several are on lines of their own.
  public var datepattern: String?
  public var maxlines: Int
  public var usedns: DNS
  /// A fixed zone for stamps without one (`UTC+0200`, `Europe/Berlin`); nil: this machine's.
  public var logtimezone: String?
  /// `auto`, `utf-8`, `latin-1`, …
  public var logencoding: String

  public init(
    prefregex: String? = nil, failregex: [String], ignoreregex: [String] = [], datepattern: String? = nil,
    maxlines: Int = 1, usedns: DNS = .warn, logtimezone: String? = nil, logencoding: String = "auto"
  ) {
    self.prefregex = prefregex
    self.failregex = failregex
    self.ignoreregex = ignoreregex
    self.datepattern = datepattern
    self.maxlines = maxlines
    self.usedns = usedns
    self.logtimezone = logtimezone
    self.logencoding = logencoding
  }
}
