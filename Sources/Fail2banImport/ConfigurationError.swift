/// What is wrong in one of fail2ban's files, and where.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  public var file: String
  /// From 1; 0 where the whole file is meant.
  public var line: Int
  public var section: String?
  public var option: String?
  /// A sentence with the remedy, without a full stop.
  public var reason: String

  public init(file: String, line: Int = 0, section: String? = nil, option: String? = nil, reason: String) {
    self.file = file
    self.line = line
    self.section = section
    self.option = option
    self.reason = reason
  }

  /// `/etc/fail2ban/filter.d/x.conf:12: [Definition] failregex: reason`
  public var description: String {
    var text = file
    if line > 0 { text += ":\(line)" }
    text += ": "
    if let section { text += "[\(section)] " }
    if let option { text += "\(option): " }
    return text + reason
  }
}
