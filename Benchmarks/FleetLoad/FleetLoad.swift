import Detection
import Fleet
import Model

/// What one aggregator core decides: `swift run -c release FleetLoad [ADDRESSES] [SERVERS]`. Reports are made beforehand, as bytes;
/// what is measured begins with them and ends with decisions. Nothing of the network is in it.
@main struct FleetLoad {
  private static let perReport = 100
  private static let start: Int64 = 1_800_000_000

  private let servers: Int
  private var random = SystemRandomNumberGenerator()
  private var detector = FleetDetector(
    jails: [Jail(name: "sshd", maxretry: 5, findtime: .minutes(10), bantime: .minutes(10))], nodes: 3, sites: 2,
    seed: (.random(in: .min ... .max), .random(in: .min ... .max)))
  private var told: [UInt64]
  private var sequence: UInt64 = 0
  private var second = start
  private var bans = 0

  private init(servers: Int) {
    self.servers = servers
    told = Array(repeating: 0, count: servers)
  }

  static func main() {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let addresses = arguments.first ?? 10_000_000
    var load = FleetLoad(servers: arguments.dropFirst().first ?? 10_000)
    var next = 0
    load.measure("new addresses", addresses) { _ in
      next += 1
      return next
    }
    load.measure("known addresses", addresses / 2) { Int.random(in: 1...addresses, using: &$0) }
    // As an attack looks: a tenth of the entries is about a thousand addresses.
    load.measure("an attack", 2_000_000) { random in
      Int.random(in: 0..<10, using: &random) == 0
        ? Int.random(in: 1...1000, using: &random) : Int.random(in: 1...addresses, using: &random)
    }
  }

  /// Decides on `count` entries, 500,000 a simulated second, and prints how many a second of this core's time.
  private mutating func measure(
    _ what: String, _ count: Int, _ number: (inout SystemRandomNumberGenerator) -> Int
  ) {
    let clock = ContinuousClock()
    var spent = Duration.zero
    var done = 0
    while done < count {
      let reports = (0..<500_000 / Self.perReport).map { report(($0 + Int(sequence)) % servers, number) }
      let begun = clock.now
      for (subject, data) in reports {
        sequence += 1
        bans += detector.take(.init(sequence: sequence, time: second, subject: subject, data: data)).count
      }
      spent += clock.now - begun
      done += reports.count * Self.perReport
      second += 1
    }
    let counter = detector.counter
    print(
      "\(what): \(Int(Double(done) / (spent / .seconds(1)))) entries/s, \(counter.tracked) addresses, "
        + "\(counter.memory / max(1, counter.tracked)) bytes each, \(bans) bans, \(counter.tally.refused) refused")
  }

  private mutating func report(
    _ server: Int, _ number: (inout SystemRandomNumberGenerator) -> Int
  ) -> (String, [UInt8]) {
    let entries = (0..<Self.perReport).map { _ in
      // Spread over the addresses that there are, each once.
      let address = Address(ipv4: UInt32(truncatingIfNeeded: number(&random)) &* 2_654_435_761)
      return FailureReport.Entry(address: address, second: UInt32(second), jail: 0, count: 1)
    }
    let from = told[server]
    told[server] += UInt64(Self.perReport)
    let report = FailureReport(store: 1, from: from, to: told[server], jails: ["sshd"], entries: entries)
    return ("bl.fail.s\(server % 10).n\(server)", report.bytes)
  }
}
