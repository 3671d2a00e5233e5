public import Model

/// The journal entry whose message is being consumed. Its fields are read from libsystemd when they are asked for, so an
/// entry of no interest costs nothing more. Good only during `LineSink.consume(message:of:from:)`.
@safe public final class JournalEntry {
  /// Fields of systemd.journal-fields(7). Those that begin with `_` are journald's own; a client cannot forge them.
  public enum Field: Int, CaseIterable, Sendable {
    /// SYSLOG_IDENTIFIER: what the program calls itself; forgeable.
    case identifier
    /// _COMM
    case comm
    /// _PID
    case pid
    /// SYSLOG_PID; forgeable.
    case syslogPID
    /// _UID
    case uid
    /// _HOSTNAME
    case hostname
    /// _SYSTEMD_UNIT
    case unit
    /// _TRANSPORT
    case transport
    /// _SOURCE_REALTIME_TIMESTAMP: microseconds since the epoch when the message was sent; not every transport has it.
    case sourceRealtime
    /// MESSAGE_ID
    case messageID

    var name: StaticString {
      switch self {
      case .identifier: "SYSLOG_IDENTIFIER"
      case .comm: "_COMM"
      case .pid: "_PID"
      case .syslogPID: "SYSLOG_PID"
      case .uid: "_UID"
      case .hostname: "_HOSTNAME"
      case .unit: "_SYSTEMD_UNIT"
      case .transport: "_TRANSPORT"
      case .sourceRealtime: "_SOURCE_REALTIME_TIMESTAMP"
      case .messageID: "MESSAGE_ID"
      }
    }
  }

  /// Longer values are cut.
  static let fieldLimit = 4096

  /// Did it come a moment ago, after everything before it had been read?
  public internal(set) var isLive = false
  /// As `LineOrigin.isPast`.
  public internal(set) var isPast = false
  var handle: JournalHandle?
  /// Safe: room for every field once, allocated in `init`, freed in `deinit`.
  @unsafe private let bytes: UnsafeMutablePointer<UInt8>
  /// -2: not asked for yet; -1: the entry has none.
  private var lengths = [Int](repeating: -2, count: Field.allCases.count)
  /// Was any field of this entry asked for?
  private var isAsked = false

  init() {
    // Safe: see `bytes`; zeroed, so that nothing uninitialised can be lent.
    unsafe bytes = .allocate(capacity: Self.fieldLimit * Field.allCases.count)
    unsafe bytes.initialize(repeating: 0, count: Self.fieldLimit * Field.allCases.count)
  }

  deinit {
    // Safe: see `bytes`.
    unsafe bytes.deallocate()
  }

  /// Another entry: forget the one before.
  func reset() {
    guard isAsked else { return }
    isAsked = false
    for i in lengths.indices { lengths[i] = -2 }
  }

  /// Lends a field's value, or gives nil where the entry has none.
  public func with<Result>(_ field: Field, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result? {
    let i = field.rawValue
    // Safe: every field has `fieldLimit` bytes of its own, written once an entry.
    let start = unsafe bytes + i * Self.fieldLimit
    if lengths[i] == -2 {
      isAsked = true
      lengths[i] = unsafe handle?.copy(field.name, to: start, limit: Self.fieldLimit) ?? -1
    }
    guard lengths[i] >= 0 else { return nil }
    let value = unsafe UnsafeBufferPointer(start: start, count: min(lengths[i], Self.fieldLimit))
    return try body(unsafe value.span)
  }

  /// A field's value as text, what is no UTF-8 replaced.
  public func text(_ field: Field) -> String? {
    // Safe: the pointer is used only inside the closure.
    with(field) { value in unsafe value.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }
  }

  /// When journald received it.
  public var realtime: Instant {
    Instant(microseconds: Int64(clamping: handle?.realtime() ?? 0))
  }

  /// When it was sent, where that is known, else when it was received.
  public var time: Instant {
    let sent = with(.sourceRealtime) { value -> Int64? in
      guard value.count > 0, value.count <= 18 else { return nil }
      var number: Int64 = 0
      for i in 0..<value.count {
        guard value[i] >= 48, value[i] <= 57 else { return nil }
        number = number * 10 + Int64(value[i] - 48)
      }
      return number
    }
    return (sent ?? nil).map { Instant(microseconds: $0) } ?? realtime
  }

  /// Names this entry for good (sd_journal_get_cursor(3)).
  public var cursor: String { handle?.cursor() ?? "" }
}
