internal import AuditLog
public import Model
internal import System

/// Lists, and whom people allow.
extension Daemon {
  public var listReports: [ListReport] { lists.reports }

  /// Those that a person allowed and that still hold.
  public var allowed: [Allowance] { allowances.all(at: SystemClock.now()) }

  /// Takes a list over although it has lost most of its entries; false when there is none of that name.
  public func acceptList(_ name: String, uid: UInt32) -> Bool {
    guard lists.accept(name) else { return false }
    writer.event(.command, subject: name, uid: uid, command: "lists --accept \(name)")
    return true
  }

  /// Spares an address or block in every jail and list, for a time or until it is taken back, and lifts its bans.
  public func allow(
    _ subnet: Subnet, for span: TimeSpan?, why: String, uid: UInt32, command: String
  ) async throws -> Allowance {
    guard subnet.prefixLength > 0 else {
      throw DaemonError(
        "\(subnet) is every address", remedy: "to ban nobody, stop the service or run it with --dry-run", isUsage: true)
    }
    let now = SystemClock.now()
    let allowance = Allowance(subnet: subnet, until: span.map { now.adding($0) }, since: now, uid: uid, why: why)
    do throws(SystemError) {
      try allowances.add(allowance, at: now)
    } catch {
      throw DaemonError("\(error)", remedy: "make room, or look at the rights of the state directory")
    }
    let end = allowance.until.map { "until \($0)" } ?? "until it is taken back"
    writer.event(
      .command, subject: subnet.description, detail: why.isEmpty ? end : "\(end): \(why)", uid: uid, command: command)
    await adoptAllowances()
    return allowance
  }

  /// False when it was not allowed by a person.
  public func disallow(_ subnet: Subnet, uid: UInt32, command: String) async throws -> Bool {
    do throws(SystemError) {
      guard try allowances.remove(subnet, at: SystemClock.now()) else { return false }
    } catch {
      throw DaemonError("\(error)", remedy: "make room, or look at the rights of the state directory")
    }
    writer.event(.command, subject: subnet.description, uid: uid, command: command)
    await adoptAllowances()
    return true
  }

  private func adoptAllowances() async {
    let held = lists.held
    await ask { .adopt(held, $0) }
  }

  func startLists() {
    lists.start { [loop] held in
      loop.queue.postUrgent(.command(.adopt(held, nil)))
    }
  }
}
