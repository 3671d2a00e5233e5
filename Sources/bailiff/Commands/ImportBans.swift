import API
import ArgumentParser
import Maintenance
import Model
import System

/// `bailiff import fail2ban --bans`: has the running daemon take over what fail2ban has banned.
struct ImportBans {
  let database: String
  let client: ControlClient
  private var taken = 0
  /// Bans of jails that the daemon has not; they close every port.
  private var withoutJail: [String: Int] = [:]

  init(database: String, client: ControlClient) {
    self.database = database
    self.client = client
  }

  /// - Parameter check: change nothing, and print what would be taken over.
  mutating func run(check: Bool) throws {
    let now = SystemClock.now()
    let bans = try Fail2banBans(database, at: now).bans
    var output = Output()
    defer { output.flush() }
    if check {
      for ban in bans {
        output.line(
          printable("\(ban.id) in \(ban.jail), \(ban.until.map { "until \(LocalTime.text($0))" } ?? "permanent")"))
      }
      if !bans.isEmpty { throw CommandFailure(.rejected) }
      return
    }
    let jails = Set(try client.status().jails.map(\.name))
    var refused = 0
    for ban in bans {
      do { try take(ban, jails: jails, now) } catch {
        guard error.kind == .rejected else { throw error }
        // Its own address, one that is never banned: what fail2ban did there is no reason to do it.
        Diagnostics.write(printable("\(ban.id): \(error)") + "\n")
        refused += 1
      }
    }
    output.line(
      "\(counted(taken, "ban")) taken over of \(counted(bans.count, "ban"))"
        + (refused == 0 ? "" : ", \(grouped(refused)) refused"))
    for (jail, count) in withoutJail.sorted(by: { $0.key < $1.key }) {
      output.line(printable("note: there is no jail \(jail); its \(counted(count, "ban")) close every port"))
    }
  }

  private mutating func take(_ ban: Fail2banBans.Ban, jails: Set<String>, _ now: Instant) throws(RequestError) {
    let jail = jails.contains(ban.jail) ? ban.jail : nil
    let seconds = ban.until.map { max(1, $0.since(now).microseconds / 1_000_000) }
    _ = try client.ban(BanRequest(id: ban.id, jail: jail, bantime: seconds ?? -1))
    taken += 1
    if jail == nil { withoutJail[ban.jail, default: 0] += 1 }
  }
}
