public import Model

/// What `verify` found.
public struct Verification: Hashable, Sendable {
  public struct Problem: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable { case changed, removed, inserted }

    public var kind: Kind
    /// `failure 4711`, `decision 12`, `event 3`, `origin 2` or `transaction 99`: a table and the row's number in it.
    public var row: String
    public var transaction: Int64
    /// When the transaction was made, by the clock of what it holds.
    public var time: Instant?

    public var description: String {
      "\(row) was \(kind.rawValue) (transaction \(transaction)\(time.map { ", " + $0.rfc3339() } ?? ""))"
    }
  }

  /// Nil: what is stored is what was committed.
  public var problem: Problem?
  /// What was checked.
  public var transactions = 0
  public var failures = 0
  public var decisions = 0
  public var events = 0
  /// Failures, decisions and events up to these numbers were removed by retention.
  public var removedThrough: [String: Int64] = [:]
  /// Where the chain ends.
  public var checkpoint: Checkpoint?
  /// Was the checkpoint that was given found in the chain? Nil when none was given.
  public var checkpointFound: Bool?

  public var isWhole: Bool { problem == nil && checkpointFound != false }
}

/// A transaction's number and hash. Whoever keeps one elsewhere can tell later that nothing up to it was changed, not even
/// by somebody who computed the whole chain again. Prints as `1234:5f3c…` (64 hexadecimal digits).
public struct Checkpoint: Hashable, Sendable, CustomStringConvertible {
  public var transaction: Int64
  var hash: [UInt8]

  init(transaction: Int64, hash: [UInt8]) {
    self.transaction = transaction
    self.hash = hash
  }

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int64(parts[0]), number >= 0 else { return nil }
    let digits = Array(parts[1].utf8)
    guard digits.count == 64 else { return nil }
    var hash: [UInt8] = []
    for i in stride(from: 0, to: 64, by: 2) {
      guard let byte = UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16), digits[i] != 43 else {
        return nil
      }
      hash.append(byte)
    }
    self.init(transaction: number, hash: hash)
  }

  public var description: String {
    "\(transaction):" + hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
