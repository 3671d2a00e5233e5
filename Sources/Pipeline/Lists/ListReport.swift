public import Model

/// One list, for `bailiff lists`.
public struct ListReport: Sendable {
  public var name: String
  public var source: String
  public var allows: Bool
  /// Neither spares nor blocks: rules of the firewall name it.
  public var isForRules: Bool
  /// Entries in force, and those that are left out because something else spares them.
  public var entries = 0
  public var leftOut = 0
  /// Lines of the source that hold no address.
  public var strange = 0
  /// When what is in force was read or fetched, and when the source was looked at last.
  public var loaded: Instant?
  public var checked: Instant?
  /// Why the source's last state is not in force.
  public var problem: String?
  /// Its source can be read, and says what is not taken over.
  public var isRefused = false
}
