public import Detection
internal import Fail2banMatching
internal import Filters
internal import Glibc
public import LogSources
public import Matching
public import Model
public import Settings

/// What the settings come to, compiled: jails with their filters, and which jail reads which source. It never changes; a
/// reload makes a new one.
public final class Plan: Sendable {
  /// One enabled jail.
  public struct Entry: Sendable {
    public var settings: JailSettings
    /// The place of its filter in `filters`; nil for a jail whose source is the bans.
    public var filter: Int?
    /// The number of its first pattern in `names.patterns`.
    public var firstPattern: Int
  }

  public let settings: Settings
  public let jails: [Entry]
  /// Every filter once, however many jails use it.
  public let filters: [Filter]
  /// One a distinct source, and the jails that read it.
  public let specs: [SourceSpec]
  public let readers: [[Int]]
  public let jailNames: [String]
  public let patternNames: [PatternName]
  /// Jails that count Bailiff's own bans.
  public let banJails: [Int]
  /// Jails whose filter does not compile; the others run.
  public let dropped: [DroppedJail]

  /// The jail of bans that a person ordered without naming one.
  public static let operatorJail = "operator"
  /// What the audit calls failures that programs report.
  static let reportPattern = PatternName(filter: "reports", name: "report", file: "")

  /// `start`: where files and journal begin that have no stored position.
  public init(_ settings: Settings, start: SourceSpec.Start = .end, on machine: Settings.Machine = .current) {
    var assembly = PlanAssembly(settings)
    for jail in settings.jails where jail.enabled { assembly.add(jail, start: start, on: machine) }
    self.settings = settings
    jails = assembly.jails
    filters = assembly.filters
    specs = assembly.specs
    readers = assembly.readers
    banJails = assembly.banJails
    dropped = assembly.dropped
    patternNames = assembly.patterns
    jailNames = jails.map(\.settings.name) + [Self.operatorJail]
  }

  /// The jails that read any of these specs, in their order.
  public func jails(reading specs: [Int]) -> [Int] {
    Set(specs.flatMap { $0 < readers.count ? readers[$0] : [] }).sorted()
  }

  /// Does what a line means to one of these jails depend on the lines before it?
  public func needsOrder(_ jails: [Int]) -> Bool {
    jails.contains { self.jails[$0].filter.map { filters[$0].needsOrder } ?? false }
  }

  /// Every jail's limits with `ignored` added to its ignore list, the operators' jail last.
  public func limits(ignoring ignored: [Subnet] = []) -> [Jail] {
    var limits = jails.map { entry in
      var jail = entry.settings.limits
      jail.ignore.subnets += ignored
      if entry.settings.source == .bans { jail.banPattern = UInt32(entry.firstPattern) }
      jail.alertPattern = UInt32(entry.firstPattern)
      return jail
    }
    let spared = settings.ignoreip.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
    limits.append(
      Jail(name: Self.operatorJail, bantime: .hours(24), ipv6Prefix: 128, ignore: IgnoreList(spared)))
    return limits
  }
}

/// Jails put together one after the other: each filter is compiled once, each source read once.
private struct PlanAssembly {
  private let settings: Settings
  var filters: [Filter] = []
  var jails: [Plan.Entry] = []
  var patterns: [PatternName] = []
  var specs: [SourceSpec] = []
  var readers: [[Int]] = []
  var banJails: [Int] = []
  var dropped: [DroppedJail] = []

  init(_ settings: Settings) { self.settings = settings }

  mutating func add(_ jail: JailSettings, start: SourceSpec.Start, on machine: Settings.Machine) {
    var entry = Plan.Entry(settings: jail, filter: nil, firstPattern: patterns.count)
    if let definition = jail.definition {
      do { entry.filter = try filter(definition) } catch {
        dropped.append(DroppedJail(name: jail.name, reason: "\(error)"))
        return
      }
    } else if jail.source == .reports {
      patterns.append(Plan.reportPattern)
    } else if jail.source == .alerts {
      patterns.append(PatternName(filter: "alerts", name: "alert", file: settings.file))
    } else {
      patterns.append(PatternName(filter: "bans", name: "ban", file: settings.file))
      banJails.append(jails.count)
    }
    let number = jails.count
    jails.append(entry)
    switch jail.source {
    case .bans, .reports, .alerts: break
    case .stdin: watch(.standardInput, number)
    case .logs: watch(jail.sources(on: machine), start, number)
    }
  }

  /// The filter's number; its patterns get the next numbers.
  private mutating func filter(_ definition: FilterDefinition) throws -> Int {
    let known = filters.firstIndex { $0.definition == definition }
    if known == nil { filters.append(try Filter(definition)) }
    let index = known ?? filters.count - 1
    patterns += filters[index].patternNames.map {
      PatternName(filter: definition.name, name: $0, file: definition.file)
    }
    return index
  }

  private mutating func watch(_ sources: LogChoice, _ start: SourceSpec.Start, _ jail: Int) {
    if !sources.containers.isEmpty {
      watch(.containers(sources.containers, roots: settings.containerRoots, start: start), jail)
      // Docker's and Podman's driver journald. The names are theirs; root's processes alone are believed.
      let matches = sources.containers.filter(Self.isPlainName).map { "CONTAINER_NAME=\($0) _UID=0" }
      if !matches.isEmpty { watch(.journal(matches: matches, start: start), jail) }
    }
    if !sources.files.isEmpty { watch(.files(sources.files, start: start), jail) }
    guard !sources.journal.isEmpty else { return }
    let instead = sources.isJournalInstead ? sources.files : []
    watch(.journal(matches: sources.journal, insteadOf: instead, start: start), jail)
  }

  private mutating func watch(_ spec: SourceSpec, _ jail: Int) {
    let index = specs.firstIndex { $0.kind == spec.kind && $0.start == spec.start } ?? specs.count
    if index == specs.count {
      specs.append(spec)
      readers.append([])
    }
    readers[index].append(jail)
    specs[index].lookBack = max(specs[index].lookBack, Self.lookBack(of: jails[jail].settings))
  }

  /// How much of its log a jail's filter must see again after a restart: who opened connections, and failures that were only
  /// counted.
  private static func lookBack(of jail: JailSettings) -> TimeSpan {
    var span = jail.limits.readsLogBack ? jail.limits.findtime : .zero
    if case .native(let rules)? = jail.definition?.rules, let join = rules.join { span = max(span, join.keep) }
    return span
  }

  private static func isPlainName(_ name: String) -> Bool {
    !name.hasPrefix("label=") && !name.contains { "*?[ ".contains($0) }
  }
}
