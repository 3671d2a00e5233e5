/// Something that needs a person: `status` lists it, its exit code says that there is one, and docs/what-ok-means.md has its
/// cause and remedy.
///
/// ```swift
/// Warning("chain-missing", "DOCKER-USER", "chain DOCKER-USER does not exist: …", since: now)
/// ```
public struct Warning: Hashable, Sendable, CustomStringConvertible {
  /// What kind it is, in words that stay the same: `chain-missing`, `rule-above`.
  public var code: String
  /// What it is about: a jail, a chain, a file. Code and subject together tell one warning from another.
  public var subject: String
  /// One line: what is wrong, and what to do about it.
  public var text: String
  /// When it was first seen.
  public var since: Instant

  public init(_ code: String, _ subject: String, _ text: String, since: Instant) {
    self.code = code
    self.subject = subject
    self.text = text
    self.since = since
  }

  public var description: String { text }
}

extension [Warning] {
  /// These warnings, each with the time at which `earlier` saw it first.
  public func since(_ earlier: [Warning]) -> [Warning] {
    map { warning in
      var warning = warning
      let known = earlier.first { $0.code == warning.code && $0.subject == warning.subject }
      if let known { warning.since = Swift.min(known.since, warning.since) }
      return warning
    }
  }
}
