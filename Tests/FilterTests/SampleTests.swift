import Fail2banMatching
import Filters
import Matching
import Model
import Settings
import Testing

/// Every shipped filter loads, and does what its samples say.
@Suite struct SampleTests {
  @Test func thereAreFilters() { #expect(Shipped.files.count >= 150) }

  @Test(arguments: Shipped.files)
  func samplesBehave(file: String) throws {
    let definition = try Shipped.definition(file)
    guard case .native(let rules) = definition.rules else {
      Issue.record("\(file) is no native filter")
      return
    }
    let filter = try Filter(definition)
    var shown: Set<String> = []
    for sample in definition.samples {
      let before =
        sample.before.map { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) } ?? []
      let found = Reporter([filter], readsActivity: true).reports(before + [sample.line]).last!
      let place = "\(file):\(sample.place.line)"
      guard let expect = sample.expect else {
        #expect(found.isEmpty, "\(place): nothing was to be reported, but \(found)")
        continue
      }
      guard let report = found.first else {
        Issue.record("\(place): not reported: \(sample.line)")
        continue
      }
      shown.insert(report.pattern)
      for (key, value) in expect {
        switch key {
        case "pattern": #expect(report.pattern == value, "\(place)")
        case "activity": #expect(report.event == value, "\(place)")
        case "host":
          // Envoy writes the client's port behind its address.
          let address = Address(value) ?? Address(value.prefix { $0 != ":" })
          #expect(report.address == address?.description, "\(place)")
        case "count": #expect(report.count == Int(value), "\(place)")
        case "weight": #expect(report.weight == Int(value), "\(place)")
        default: #expect(report.captures[key] == value, "\(place): \(key)")
        }
      }
    }
    for pattern in rules.patterns where pattern.role == .none {
      #expect(shown.contains(pattern.name), "\(file): pattern `\(pattern.name)` has no sample that it matches")
    }
    #expect(definition.samples.contains { $0.expect == nil }, "\(file): no sample shows what must not be reported")
    #expect(!definition.summary.isEmpty)
    #expect(!definition.logpath.isEmpty)
  }

  /// What is an activity is a failure of nobody, whether activities are read or not, and where they are not it is nothing.
  @Test func activitiesAreNoFailures() throws {
    for file in Shipped.files {
      let definition = try Shipped.definition(file)
      let filter = try Filter(definition)
      for sample in definition.samples where sample.expect?["activity"] != nil {
        #expect(reports([sample.line], [filter])[0].isEmpty, "\(file):\(sample.place.line)")
      }
    }
  }

  /// `bailiff filter detect` runs every filter over any file: no filter may fire on another service's lines.
  @Test func filtersLeaveOtherServicesAlone() throws {
    let shipped = Reporter(try Shipped.filters(), readsActivity: true)
    for definition in shipped.filters.map(\.definition) {
      for sample in definition.samples {
        for report in shipped.reports([sample.line])[0]
        where !Self.readTheSame(report.filter, definition.name) && !(report.event != nil && definition.name == "junos")
        {
          // Who logs in to Junos does it by its sshd.
          Issue.record("\(report.filter) (\(report.pattern)) fires on a line of \(definition.name): \(sample.line)")
        }
      }
    }
  }

  /// Filters that read one log, each with its own view of it.
  static let sharedLogs: [Set<String>] = [
    ["nginx-error", "nginx-http-auth", "modsecurity"], ["apache-auth", "apache-error", "modsecurity"],
    ["http-probe", "openhab", "tomcat-manager"], ["http-probe-json", "caddy", "traefik"],
    // Whoever writes Apache's format, names those who were let in, as Apache does.
    ["apache-login", "http-probe", "cups", "openhab", "tomcat-manager"],
  ]

  static func readTheSame(_ one: String, _ other: String) -> Bool {
    one == other || sharedLogs.contains { $0.contains(one) && $0.contains(other) }
  }
}
