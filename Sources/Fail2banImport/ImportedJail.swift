import Detection

/// One of fail2ban's jails in Bailiff's terms; nil and empty where the settings need not say anything.
struct ImportedJail {
  enum Source: Equatable {
    case files([String])
    /// Its matches; empty: the filter's own.
    case journal([String])
    /// Bailiff's own bans.
    case bans
  }

  var name: String
  var isEnabled: Bool
  var filter: String
  var options: [String: String] = [:]
  var source: Source
  /// Nil: all.
  var ports: [String]?
  var protocols: [String] = []
  var limits = Limits()
  var ignoreip: [String] = []
  var usedns = "warn"
  var timezone: String?
  /// Chains of the firewall that the jail's actions name.
  var chains: [String] = []
  /// Who is told of its bans.
  var outputs: [ImportedOutput] = []

  /// As settings write them, so that equal ones can be found and said once.
  struct Limits: Equatable {
    var maxretry = "5"
    var findtime = "10m"
    var bantime = "10m"
    var increment: Increment?
  }

  /// What differs from the defaults of `BanIncrement`.
  struct Increment: Equatable {
    var coefficient: Double?
    var multipliers: [Int] = []
    var maxtime: String?
    var rndtime: String?
    var overalljails = false
  }
}
