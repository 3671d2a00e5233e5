public import Model

/// What one pattern found in one line. One value is lent again and again: take what you keep.
public struct Match: ~Copyable {
  /// The filter's place in its `FilterSet`.
  public package(set) var filter = 0
  /// The pattern's place in its filter.
  public package(set) var pattern = 0
  /// Zero when the id is a name.
  public package(set) var address = Address(bits: 0)
  public package(set) var time = Instant(microseconds: 0)
  /// Did the line say its time? If not, `time` is when it was read.
  public package(set) var isDated = false
  public package(set) var count = 1
  public package(set) var weight = 1
  /// The client's port; 0 where the line does not say.
  public package(set) var port: UInt16 = 0
  public package(set) var attempt = AttemptPart.alone
  /// As `Failure.connection`.
  public package(set) var connection: UInt64 = 0
  /// What the line tells of somebody who was let in; nil: it is a failure.
  public package(set) var event: ActivityEvent?
  /// Of a `join`; 0 where the line has none.
  var joinKey: UInt64 = 0
  /// As `Failure.actLength`.
  public package(set) var actLength: UInt16 = 0
  /// Where the host begins in what the patterns saw.
  var hostOffset = 0
  /// The host as it is in the line.
  public package(set) var host = Text.empty
  public package(set) var user = Text.empty
  /// The rule of a web application firewall that was hit.
  public package(set) var rule = Text.empty
  /// The application that the client wanted something of.
  public package(set) var app = Text.empty
  /// The addresses that proxies passed on, as the line has them (`ForwardedFor`).
  public package(set) var forwarded = Text.empty
  /// Of an activity: as whom or to which account, and the command or what was changed.
  public package(set) var target = Text.empty
  public package(set) var detail = Text.empty
  /// The id when it is no single address; else empty.
  public package(set) var name = Text.empty
  /// The texts that are not in the line.
  public private(set) var texts: [UInt8] = []
  /// Is `name` a host name that must be resolved before anything can be banned?
  public package(set) var isHostName = false
  /// Every named group that took part, in order; kept only when the set was made to.
  public package(set) var captures: [Capture] = []

  public struct Capture: Sendable {
    public var name: String
    public var value: [UInt8]

    package init(name: String, value: [UInt8]) {
      self.name = name
      self.value = value
    }
  }

  /// Where a text is: in the line, so that nobody need copy it, or in `texts`, when the pattern saw something else than
  /// the line.
  public struct Text: Sendable {
    public let range: Range<Int>
    public let isInLine: Bool

    package static let empty = Text(range: 0..<0, isInLine: false)

    public var isEmpty: Bool { range.isEmpty }
  }

  /// A copy of a text of this match in `line`.
  public func bytes(_ text: Text, in line: borrowing Span<UInt8>) -> [UInt8] {
    guard text.isInLine else { return Array(texts[text.range]) }
    var bytes: [UInt8] = []
    bytes.append(line, text.range)
    return bytes
  }

  /// Keeps a text that is not in the line.
  package mutating func keep(_ text: [UInt8]) -> Text {
    let start = texts.count
    texts += text
    return Text(range: start..<texts.count, isInLine: false)
  }

  package mutating func keep(_ subject: borrowing Span<UInt8>, _ range: Range<Int>) -> Text {
    let start = texts.count
    texts.append(subject, range)
    return Text(range: start..<texts.count, isInLine: false)
  }

  package mutating func reset() {
    count = 1
    weight = 1
    port = 0
    attempt = .alone
    connection = 0
    joinKey = 0
    actLength = 0
    event = nil
    (target, detail) = (.empty, .empty)
    (host, user, rule, app, forwarded, name) = (.empty, .empty, .empty, .empty, .empty, .empty)
    hostOffset = -1
    if !texts.isEmpty { texts.removeAll(keepingCapacity: true) }
    isHostName = false
    if !captures.isEmpty { captures.removeAll(keepingCapacity: true) }
  }
}

extension Array where Element == UInt8 {
  /// Appends a part of a span as one copy.
  package mutating func append(_ span: borrowing Span<UInt8>, _ range: Range<Int>) {
    // Safe: the pointer is used inside the call only, and `extracting` has checked the range.
    unsafe span.extracting(range).withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
