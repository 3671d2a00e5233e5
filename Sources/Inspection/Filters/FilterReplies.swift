internal import Detection
public import Filters
internal import Model

/// A filter, for a list of them.
public struct FilterReply: Hashable, Sendable, Codable {
  public var filter: String
  public var summary: String
  public var file: String
  public var patterns: Int
  public var samples: Int
  public var program: [String]
  public var journalmatch: [String]
  public var logpath: [String]
  public var port: [String]

  public init(_ definition: FilterDefinition) {
    filter = definition.name
    summary = definition.summary
    file = definition.file
    patterns = 0
    program = []
    if case .native(let rules) = definition.rules {
      patterns = rules.patterns.count
      program = rules.programs
    }
    samples = definition.samples.count
    journalmatch = definition.journalmatch
    logpath = definition.logpath
    port = definition.port
  }
}

/// What a filter finds in a log.
public struct DetectReply: Hashable, Sendable, Codable {
  public var filter: String
  public var failures: Int
  /// Those of them that count against a limit: the others are recorded only.
  public var counted: Int
  /// In the order in which they first failed.
  public var ids: [String]
}

/// What a tested filter makes of one line; `line` counts from 1.
public struct LineReply: Sendable, Encodable {
  public var line: Int
  public var result: LineResult.Verdict
  public var failures: [FoundFailure]
  /// Left out where there are none.
  public var activities: [FoundActivity]?

  public init(line: Int, _ result: LineResult) {
    activities = result.activities.isEmpty ? nil : result.activities
    self.line = line
    self.result = result.verdict
    failures = result.failures
  }
}
