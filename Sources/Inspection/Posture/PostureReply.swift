public import Model

/// How well this machine is kept, as far as Bailiff can see: a score, and what it is made of.
public struct PostureReply: Hashable, Sendable, Codable {
  /// 0 to 100: the weight of the checks that are met among those that apply.
  public var score: Int
  public var checks: [PostureCheck]
  /// Earlier scores, oldest first, one a day.
  public var history: [PostureScore]

  public init(checks: [PostureCheck], history: [PostureScore] = []) {
    self.checks = checks
    self.history = history
    let applying = checks.filter { $0.state != .notApplicable }
    let met = applying.filter { $0.state != .failed }.reduce(0) { $0 + $1.weight }
    let all = applying.reduce(0) { $0 + $1.weight }
    score = all == 0 ? 100 : met * 100 / all
  }
}

/// One thing that was looked at.
public struct PostureCheck: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable, CaseIterable {
    case ok, failed, accepted
    /// There is nothing to check, or it cannot be seen from here.
    case notApplicable = "not_applicable"
  }

  /// Scripts compare these, so none is ever renamed.
  public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
    case daemonWell = "daemon_well"
    case enforcing
    case settingsRight = "settings_right"
    case servicesWatched = "services_watched"
    case sshPasswords = "ssh_passwords"
    case sshRoot = "ssh_root"
    case otherBanners = "other_banners"
    case clock
    case privateFiles = "private_files"
    case retention
    case securityUpdates = "security_updates"
  }

  public var check: Code
  public var state: State
  public var weight: Int
  /// What was seen.
  public var evidence: String
  /// Why it matters.
  public var why: String
  /// The command or the setting that mends it; nil where nothing is to be mended.
  public var remedy: String?
  /// Why a failure is accepted, and until when; nil: it is not.
  public var reason: String?
  public var until: Instant?

  /// - Parameter problem: nil: the check is met.
  init(_ check: Code, weight: Int, why: String, met: String, problem: (evidence: String, remedy: String)?) {
    self.check = check
    self.weight = weight
    self.why = why
    state = problem == nil ? .ok : .failed
    evidence = problem?.evidence ?? met
    remedy = problem?.remedy
  }

  /// What cannot be checked here, and why.
  init(_ check: Code, notApplicable evidence: String) {
    self.check = check
    weight = 0
    why = ""
    state = .notApplicable
    self.evidence = evidence
  }
}

/// A day's score.
public struct PostureScore: Hashable, Sendable, Codable {
  public var time: Instant
  public var score: Int
}
