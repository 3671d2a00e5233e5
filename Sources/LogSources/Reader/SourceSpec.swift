public import Model

/// What to read, as a jail names it.
public struct SourceSpec: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// Paths with `*`, `?` and `[…]` as glob(7) has them; files that match later join.
    case files([String])
    /// The logs of containers, by name or label (see `docs/containers.md`), through restarts, rotations and new ones of the
    /// same name. `roots`: where runtimes keep what they know of them.
    case containers([String], roots: [String])
    /// Entries that one of `matches` fits: each is a list of `FIELD=value`, all of which must hold, separated by spaces
    /// (in `"…"` a value may hold spaces); no match at all means every entry.
    /// `directory` nil: this machine's journal. `insteadOf`: paths and globs of files; as soon as one is there the journal is
    /// no longer read for this spec. Empty: it always is.
    case journal(matches: [String], directory: String?, insteadOf: [String] = [])
    case standardInput
  }

  /// Where to start when there is no stored position.
  public enum Start: Hashable, Sendable { case beginning, end }

  public var kind: Kind
  /// For files that are there when reading begins, and for the journal. A file that appears later, or that takes the
  /// place of one that was read, is always read from its beginning.
  public var start: Start
  /// How much of what the run before has read its sink must see again after a restart (`LineOrigin.isPast`): lines of this long
  /// before the last one.
  public var lookBack = TimeSpan.zero

  public init(_ kind: Kind, start: Start = .end) {
    self.kind = kind
    self.start = start
  }

  public static func files(_ patterns: [String], start: Start = .end) -> SourceSpec {
    SourceSpec(.files(patterns), start: start)
  }

  public static func containers(
    _ names: [String], roots: [String], start: Start = .end
  ) -> SourceSpec {
    SourceSpec(.containers(names, roots: roots), start: start)
  }

  public static func journal(
    matches: [String], directory: String? = nil, insteadOf files: [String] = [], start: Start = .end
  ) -> SourceSpec {
    SourceSpec(.journal(matches: matches, directory: directory, insteadOf: files), start: start)
  }

  public static let standardInput = SourceSpec(.standardInput, start: .beginning)
}

extension SourceSpec {
  /// The files that it names.
  var patterns: [PathPattern] {
    switch kind {
    case .files(let patterns): patterns.map { PathPattern($0) }
    case .containers(let names, let roots): names.map { PathPattern(container: $0, in: roots) }
    case .journal, .standardInput: []
    }
  }
}
