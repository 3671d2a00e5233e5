internal import API
internal import Glibc
internal import Metrics
internal import Model
internal import Outputs
internal import Pipeline
internal import System

/// What Prometheus is told of a daemon (docs/monitoring.md). Labels are names from the settings, never what attackers write; of
/// sources, of which a pattern of paths may find thousands, the first ones have series of their own.
struct DaemonMetrics {
  let status: StatusReply
  let pipeline: PipelineMetrics
  let outputs: [OutputStatus]
  let lists: [ListReply]

  static let mostSources = 200

  var text: String {
    var text = Exposition()
    text.family("bailiff_info", .gauge, "Always 1, with the version.") { $0.sample(1, ["version": status.version]) }
    text.family("bailiff_ok", .gauge, "1 while nothing needs a person: the exit status of `bailiff status`.") {
      $0.sample(status.ok ? 1 : 0)
    }
    addProcess(&text)
    addSources(&text)
    addJails(&text)
    addPatterns(&text)
    addFirewall(&text)
    addStore(&text)
    addConsumers(&text)
    addLists(&text)
    return text.text
  }

  /// The names that Prometheus' own client libraries use.
  private func addProcess(_ text: inout Exposition) {
    let usage = ProcessUsage.current()
    text.family("process_start_time_seconds", .gauge, "When the daemon was started, in seconds since 1970.") {
      $0.sample(Double(status.started.microseconds) / 1e6)
    }
    text.family("process_cpu_seconds_total", .counter, "Processor time, of user and system.") {
      $0.sample(usage.processorSeconds)
    }
    text.family("process_resident_memory_bytes", .gauge, "Resident memory.") { $0.sample(usage.residentBytes) }
  }

  private func addSources(_ text: inout Exposition) {
    let own = status.sources.prefix(Self.mostSources)
    let others = status.sources.dropFirst(Self.mostSources)
    func family(
      _ name: String, _ kind: Exposition.Kind, _ help: String, _ value: (API.SourceStatus) -> Double?
    ) {
      text.family("bailiff_source_\(name)", kind, help) { family in
        for source in own { if let value = value(source) { family.sample(value, ["source": source.name]) } }
        let rest = others.compactMap(value)
        if !rest.isEmpty { family.sample(rest.reduce(0, +), ["source": "others"]) }
      }
    }
    family("failed", .gauge, "1 while it cannot be read.") { $0.ok ? 0 : 1 }
    family("lines_total", .counter, "Lines read.") { Double($0.read) }
    family("matched_lines_total", .counter, "Lines that are failures.") { Double($0.matched) }
    family("ignored_lines_total", .counter, "Lines that a filter ignores.") { Double($0.ignored) }
    family("too_long_lines_total", .counter, "Lines that were too long to be judged.") { Double($0.tooLong) }
    // A path begins with a slash; the journal's names do not.
    family("lag_bytes", .gauge, "Bytes of a file that are not read yet.") { $0.name.hasPrefix("/") ? $0.lag : nil }
    family("lag_seconds", .gauge, "How far reading the journal is behind.") { $0.name.hasPrefix("/") ? nil : $0.lag }
  }

  private func addJails(_ text: inout Exposition) {
    func family(_ name: String, _ kind: Exposition.Kind, _ help: String, _ value: (JailStatus) -> Double) {
      text.family("bailiff_jail_\(name)", kind, help) { family in
        for jail in status.jails { family.sample(value(jail), ["jail": jail.name]) }
      }
    }
    family("running", .gauge, "0 for a jail that has an error and is left out.") { $0.ok ? 1 : 0 }
    family("failures_total", .counter, "Failures since the start.") { Double($0.failures) }
    family("tracked", .gauge, "Addresses with failures in their window.") { Double($0.tracked) }
    family("evicted_total", .counter, "Addresses that were forgotten to keep memory bounded.") { Double($0.evicted) }
    family("bans", .gauge, "Bans in force.") { Double($0.bans) }
    family("bans_total", .counter, "Bans ever, by the store.") { Double($0.bansEver) }
  }

  private func addPatterns(_ text: inout Exposition) {
    // Files of the same filter in two directories are one series.
    var failures: [[String]: UInt64] = [:]
    for (pattern, count) in pipeline.failures { failures[[pattern.filter, pattern.name], default: 0] += count }
    text.family("bailiff_pattern_failures_total", .counter, "Failures that a filter's pattern found.") { family in
      for (name, count) in failures.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        family.sample(count, ["filter": name[0], "pattern": name[1]])
      }
    }
    text.family("bailiff_pattern_limit_hits_total", .counter, "Lines on which a pattern was stopped at its limit.") {
      for stopped in status.quarantined {
        $0.sample(stopped.hits, ["filter": stopped.filter, "pattern": stopped.pattern])
      }
    }
    text.family("bailiff_line_to_decision_seconds", .histogram, "From reading a line that matches until it is judged.")
    {
      $0.sample(pipeline.lineToDecision)
    }
    text.family("bailiff_decision_to_kernel_seconds", .histogram, "From a decision until the kernel has it.") {
      $0.sample(pipeline.decisionToKernel)
    }
    text.family("bailiff_line_to_kernel_seconds", .histogram, "From reading a line until the kernel has its ban.") {
      $0.sample(pipeline.lineToKernel)
    }
  }

  private func addFirewall(_ text: inout Exposition) {
    let firewall = status.firewall
    let isEnforcing = !status.dryRun && !status.warnings.contains { $0.code == .firewallNotEnforcing } && firewall.ok
    text.family("bailiff_firewall_info", .gauge, "Always 1, with the backend.") {
      $0.sample(1, ["backend": firewall.backend])
    }
    text.family("bailiff_firewall_enforcing", .gauge, "1 while bans hold in the kernel.") {
      $0.sample(isEnforcing ? 1 : 0)
    }
    text.family("bailiff_firewall_dry_run", .gauge, "1 while nothing is to be enforced.") {
      $0.sample(status.dryRun ? 1 : 0)
    }
    text.family("bailiff_firewall_entries", .gauge, "Addresses and blocks that are banned.") {
      $0.sample(firewall.entries)
    }
    text.family("bailiff_firewall_repairs_total", .counter, "How often something of ours was gone and put back.") {
      $0.sample(firewall.repairs)
    }
    text.family("bailiff_warnings", .gauge, "What needs a person, by code (docs/warnings.md).") { family in
      for code in Warning.Code.allCases {
        family.sample(status.warnings.count { $0.code == code }, ["code": code.rawValue])
      }
    }
  }

  private func addStore(_ text: inout Exposition) {
    let store = status.store
    text.family("bailiff_store_writing", .gauge, "1 while the audit can be written.") { $0.sample(store.ok ? 1 : 0) }
    text.family("bailiff_store_bytes", .gauge, "The size of the audit with its log.") { $0.sample(store.bytes) }
    text.family("bailiff_store_failures_total", .counter, "Failures stored since the start.") {
      $0.sample(store.failures)
    }
    text.family("bailiff_store_shed_total", .counter, "Failures given up because the disk was full.") {
      $0.sample(store.shed)
    }
  }

  private func addConsumers(_ text: inout Exposition) {
    text.family("bailiff_consumer_behind_rows", .gauge, "Rows of the audit that somebody has not been told yet.") {
      for consumer in status.consumers { $0.sample(consumer.behind, ["consumer": consumer.name]) }
    }
    text.family("bailiff_consumer_missed_rows_total", .counter, "Rows that were removed before they were told.") {
      for consumer in status.consumers { $0.sample(consumer.missed, ["consumer": consumer.name]) }
    }
    func family(_ name: String, _ help: String, _ value: (OutputStatus) -> Int) {
      text.family("bailiff_output_\(name)_total", .counter, help) { family in
        for output in outputs { family.sample(value(output), ["output": output.name, "type": output.type]) }
      }
    }
    family("messages", "Messages that arrived.") { $0.messages }
    family("events", "Events that arrived.") { $0.events }
    family("refused", "Tries that did not succeed.") { $0.refused }
    family("dropped_events", "Events that were given up.") { $0.dropped }
    text.family("bailiff_output_failing", .gauge, "1 while what was tried last did not arrive.") { family in
      for output in outputs {
        family.sample(output.problem == nil ? 0 : 1, ["output": output.name, "type": output.type])
      }
    }
  }
}

extension DaemonMetrics {
  fileprivate func addLists(_ text: inout Exposition) {
    func family(_ name: String, _ help: String, _ value: (ListReply) -> Double?) {
      text.family("bailiff_list_\(name)", .gauge, help) { family in
        for list in lists { if let value = value(list) { family.sample(value, ["list": list.name]) } }
      }
    }
    family("entries", "Entries in force.") { Double($0.entries) }
    family("failing", "1 while the source's last state is not in force.") { $0.problem == nil ? 0 : 1 }
    family("loaded_timestamp_seconds", "When what is in force was read, in seconds since 1970.") { list in
      list.loaded.map { Double($0.microseconds) / 1e6 }
    }
  }
}

/// What this process has used.
struct ProcessUsage {
  var processorSeconds: Double
  var residentBytes: UInt64

  static func current() -> ProcessUsage {
    var usage = rusage()
    // Safe: getrusage(2) fills the struct.
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    // The second number of /proc/self/statm, in pages (proc_pid_statm(5)).
    let pages = SmallFile.text("/proc/self/statm").flatMap { $0.split(separator: " ").dropFirst().first }
      .flatMap { UInt64($0) }
    return ProcessUsage(
      processorSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      residentBytes: (pages ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE))))
  }
}
