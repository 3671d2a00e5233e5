import Fail2banMatching
import Filters
import Matching
import Model
import Testing

/// Nobody honest reaches a limit: what real clients left in the logs of real servers (fixtures/honest/README.md), and lines that
/// users of other programs reported.
@Suite struct HonestTrafficTests {
  /// The most that one address weighs within the filter's time, by filter and address.
  private func heaviest(_ file: String) throws -> [(filter: FilterDefinition, address: String, sum: Int)] {
    let shipped = try Reporter.shipped()
    let lines = try Shipped.fixture("honest/\(file)").split(separator: UInt8(ascii: "\n")).map {
      LogLine(bytes: Array($0))
    }
    var failures: [String: [Report]] = [:]
    for report in shipped.reports(lines).joined() where report.weight > 0 {
      failures["\(report.filter) \(report.address)", default: []].append(report)
    }
    return failures.values.map { reports in
      let filter = shipped.filters.first { $0.definition.name == reports[0].filter }!.definition
      let span = filter.findtime ?? .minutes(10)
      let sums = reports.map { last in
        reports.filter { $0.time <= last.time && last.time.since($0.time) <= span }.map { $0.weight * $0.count }
          .reduce(0, +)
      }
      return (filter, reports[0].address, sums.max()!)
    }
  }

  @Test(arguments: try Shipped.fixtures("honest", ".log"))
  func nobodyReachesALimit(file: String) throws {
    for (filter, address, sum) in try heaviest(file) {
      print("\(file): \(filter.name) weighs \(address) \(sum) of \(filter.maxretry ?? 5)")
      #expect(sum < filter.maxretry ?? 5, "\(file): \(address) is banned by \(filter.name)")
    }
  }
}
