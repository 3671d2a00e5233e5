/// Something about a source that an operator should hear of.
public struct SourceEvent: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// It is being read (again), from this offset; nil for the journal.
    case reading(from: UInt64?)
    case waiting(String)
    case failed(String)
    /// A new file took the path; the old one is read to its end first.
    case rotated
    /// The file was emptied in place (copytruncate). `unread`: bytes known to be gone; 0 means that lines written between
    /// the last look and the truncation may be gone, which nobody can tell.
    case truncated(unread: UInt64)
    /// A program writes the whole log again with every line; what was read before is not read again. Said once.
    case rewritten
    /// The end of a truncated or compressed file was found in this copy and is read from there.
    case recovered(from: String)
    /// Lines are gone, or may be.
    case lost(String)
    /// journald dropped messages of a service that logs too fast.
    case rateLimited(String)
  }

  /// The source's name (a path, `journal …`, `-`).
  public var source: String
  public var kind: Kind

  public init(source: String, kind: Kind) {
    self.source = source
    self.kind = kind
  }

  /// Does it say that lines may not have been seen?
  public var isLoss: Bool {
    switch kind {
    case .truncated, .lost, .rateLimited: true
    case .reading, .waiting, .failed, .rotated, .rewritten, .recovered: false
    }
  }

  public var description: String {
    switch kind {
    case .reading(from: .some(let offset)): "\(source): reading from byte \(offset)"
    case .reading(from: .none): "\(source): reading"
    case .waiting(let reason): "\(source): waiting: \(reason)"
    // Most reasons name the file.
    case .failed(let reason): reason.contains(source) ? reason : "\(source): \(reason)"
    case .rotated: "\(source): a new file took this path; the old one is read to its end first"
    case .rewritten:
      "\(source): a program writes its old lines again with the new ones; lines that were read are not read again"
    case .truncated(unread: 0):
      "\(source): emptied in place (copytruncate?); lines written just before that may be lost. "
        + "Rotating by rename and create loses none"
    case .truncated(let unread):
      "\(source): emptied in place (copytruncate?) with \(unread) bytes not yet read. "
        + "Rotating by rename and create loses none"
    case .recovered(let copy): "\(source): what was not yet read is read from \(copy)"
    case .lost(let what): "\(source): \(what)"
    case .rateLimited(let message):
      "\(source): journald dropped messages that came too fast: \(message). LogRateLimitIntervalSec=0 in the unit, or "
        + "RateLimitIntervalSec=0 in journald.conf, stops that"
    }
  }
}
