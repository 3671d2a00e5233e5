/// What somebody who was let in did, as far as a filter tells.
public enum ActivityEvent: String, Sendable, Hashable, CaseIterable, Codable {
  /// Somebody proved who they are, and was let in.
  case login
  case logout
  /// A session began, of somebody who was let in already, or by a program: `su`, `sudo -i`, a seat.
  case session
  /// A command that was run as somebody else.
  case command
  /// An account, a group, a password or a setting was changed.
  case change
}

/// A line that tells of an activity: never a failure, never counted against anybody. As in `Failure` its texts are ranges of
/// the batch's bytes.
public struct Activity: Sendable, Equatable {
  public var time: Instant
  public var event: ActivityEvent
  /// From where; nil where the line does not say, as for a terminal.
  public var address: Address?
  /// Who did it.
  public var user = ByteRange.empty
  /// As whom, or to which account.
  public var target = ByteRange.empty
  /// The command, or what was changed.
  public var detail = ByteRange.empty
  public var line = ByteRange.empty
  /// As `Failure.cursor` and `Failure.offset`.
  public var cursor = ByteRange.empty
  public var offset: UInt64 = 0
  /// What lines of one act have in common, and for how many seconds they are one; 0: each is its own.
  public var act: UInt64 = 0
  public var actLength: UInt16 = 0
  public var jail: UInt16
  public var pattern: UInt32
  public var source: UInt32

  public init(
    time: Instant, event: ActivityEvent, address: Address?, jail: UInt16, pattern: UInt32, source: UInt32
  ) {
    self.time = time
    self.event = event
    self.address = address
    self.jail = jail
    self.pattern = pattern
    self.source = source
  }
}
