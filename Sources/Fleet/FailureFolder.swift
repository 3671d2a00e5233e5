internal import AuditLog
internal import Cryptography
internal import Detection
internal import Model

/// Rows of failures become one report: the same address in the same second and jail is one entry.
struct FailureFolder {
  /// What users' names are hashed with; nil: they are left out.
  let key: [UInt8]?
  /// Whom this server spares, by jail: of them it tells nothing.
  var spared: [String: IgnoreList] = [:]

  private struct Place: Hashable {
    var address: Address
    var second: UInt32
    var jail: UInt16
  }

  /// - Parameter rows: of failures, in the order of the log, at least one.
  func fold(_ rows: some Collection<AuditRow>, store: UInt32) -> FailureReport {
    let numbers = rows.map { UInt64(clamping: $0.number) }
    var report = FailureReport(store: store, from: (numbers.first ?? 1) - 1, to: numbers.last ?? 0)
    var jails: [String: UInt16] = [:]
    var places: [Place: Int] = [:]
    for row in rows {
      // Names are nobody's address, and what weighs nothing counts nowhere.
      guard row.weight > 0, let address = Address(row.id), let second = UInt32(exactly: row.time.seconds) else {
        continue
      }
      if spared[row.jail]?.contains(address) == true { continue }
      let jail = jails[row.jail] ?? UInt16(report.jails.count)
      if jails[row.jail] == nil {
        jails[row.jail] = jail
        report.jails.append(row.jail)
      }
      let (weight, overflow) = max(1, row.count).multipliedReportingOverflow(by: row.weight)
      let count = overflow ? 4095 : min(weight, 4095)
      let place = Place(address: address, second: second, jail: jail)
      if let index = places[place] {
        report.entries[index].count = UInt16(min(4095, Int(report.entries[index].count) + count))
      } else {
        places[place] = report.entries.count
        report.entries.append(
          .init(address: address, second: second, jail: jail, count: UInt16(count), user: hash(row.user)))
      }
    }
    return report
  }

  /// 64 bits that say whether two servers saw the same name, and to nobody without the key which.
  private func hash(_ user: String) -> UInt64 {
    guard let key, !user.isEmpty else { return 0 }
    return Digest.hmac(.sha256, key: key, Array(user.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
