internal import Filters
internal import FoundationEssentials
internal import Glibc

extension Settings {
  /// What is there to be watched.
  public struct Machine {
    /// Does any file have this path, or match this glob?
    public var hasFile: (String) -> Bool
    public var hasJournal: Bool
    public var isRoot: Bool
    public var environment: [String: String]

    public init(
      hasFile: @escaping (String) -> Bool, hasJournal: Bool, isRoot: Bool = true, environment: [String: String] = [:]
    ) {
      self.hasFile = hasFile
      self.hasJournal = hasJournal
      self.isRoot = isRoot
      self.environment = environment
    }

    /// This machine. A journal counts when it has files, so that a `/run/log/journal` left empty does not.
    public static var current: Machine {
      let journals = ["/var/log/journal/*/*.journal", "/run/log/journal/*/*.journal"]
      return Machine(
        hasFile: fileExists, hasJournal: journals.contains(where: fileExists), isRoot: geteuid() == 0,
        environment: ProcessInfo.processInfo.environment)
    }

    private static func fileExists(_ pattern: String) -> Bool {
      // Safe: all zero is an empty result.
      var result = unsafe glob_t()
      // Safe: glob(3) fills the structure, and globfree(3) is called once after it, whatever came of it.
      defer { unsafe globfree(&result) }
      return unsafe glob(pattern, GLOB_NOSORT, nil, &result) == 0 && result.gl_pathc > 0
    }
  }

  /// A configuration for somebody who has written none: a jail for each native filter whose logs exist here, with the
  /// filter's own limits and ports, in a dry run. Files that do not exist yet are left out of the jails.
  ///
  /// The state goes where the user may write: `/var/lib/bailiff` for root, else by the XDG base directories.
  public static func automatic(
    library: FilterLibrary = Settings().library, machine: Machine = .current, only names: [String]? = nil
  ) -> Settings {
    var settings = Settings()
    settings.filters = library.directories
    settings.firewall.backend = .dryRun
    let environment = machine.environment
    if !machine.isRoot, let home = environment["HOME"] {
      settings.state = (environment["XDG_STATE_HOME"] ?? home + "/.local/state") + "/bailiff"
      settings.socket = (environment["XDG_RUNTIME_DIR"] ?? settings.state) + "/bailiff.sock"
    }
    settings.jails = library.all(names).filters.compactMap { filter in
      let paths = filter.logpath.filter(machine.hasFile)
      let matches = machine.hasJournal ? filter.journalmatch : []
      guard !paths.isEmpty || !matches.isEmpty else { return nil }
      return JailSettings(
        name: filter.name, filter: .native(filter.name), definition: filter, logpath: paths, journalmatch: matches,
        ports: SettingsReader.ports(filter.port),
        limits: JailKeys().limits(name: filter.name, defaults: JailKeys(), filter: filter))
    }
    return settings
  }
}
