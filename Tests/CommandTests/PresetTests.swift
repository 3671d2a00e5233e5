import Foundation
import TestSupport
import Testing

/// Limits from hosting practice, as the settings' documentation shows them, on past logs: they ban at the last failure that
/// the limit names, and not one earlier.
@Suite(.timeLimit(.minutes(5))) struct PresetTests {
  private func bans(_ jail: String, filter: String?, _ lines: [String]) async throws -> [[String: Any]] {
    let scratch = try TestDirectory()
    var jail = jail
    if let filter { jail += ", filter: \(try scratch.write("own.yaml", filter))" }
    let log = try scratch.write("log", lines.joined(separator: "\n") + "\n")
    let settings = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      firewall: {backend: dry-run}
      jails:
        preset: {\(jail), logpath: \(log)}
      """)
    let replay = try await Binary.run("replay", "--config", settings, log, "--json")
    #expect(replay.status == 0, "\(replay.error)")
    return try replay.objects.filter { $0["action"] != nil }
  }

  @Test func threeFailuresAreAnHour() async throws {
    func lines(_ count: Int) -> [String] {
      (0..<count).map {
        "2026-11-21T07:0\($0):00Z web sshd[81\($0)]: Failed password for root from 192.0.2.7 port 471\($0) ssh2"
      }
    }
    let jail = "filter: sshd, maxretry: 3, findtime: 10m, bantime: 1h"
    #expect(try await bans(jail, filter: nil, lines(2)).isEmpty)
    let ban = try #require(try await bans(jail, filter: nil, lines(3)).first)
    #expect(ban["id"] as? String == "192.0.2.7")
    #expect(ban["time"] as? String == "2026-11-21T07:02:00Z")
    #expect(ban["until"] as? String == "2026-11-21T08:02:00Z")
  }

  @Test func fiveConnectionsInTenSeconds() async throws {
    func lines(every seconds: Int, _ count: Int) -> [String] {
      (0..<count).map {
        "2026-11-21T07:00:\($0 * seconds < 10 ? "0" : "")\($0 * seconds)Z gw kernel: NEW_CONNECTION: IN=eth0 OUT= "
          + "MAC=d2:c8:97:6d:50:dd:5a:e7:2c:26:9b:c6:08:00 SRC=192.0.2.7 DST=203.0.113.1 LEN=60 TOS=0x00 PREC=0x00 "
          + "TTL=64 ID=1 DF PROTO=TCP SPT=4711 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0 "
      }
    }
    let filter = """
      service: own
      program: [kernel]
      patterns:
        - {name: connection, match: 'NEW_CONNECTION: IN=[^ ]+ OUT=[^ ]* (?:MAC=[^ ]* )?SRC=<host> DST='}
      """
    let jail = "maxretry: 5, findtime: 10s, bantime: 10m"
    #expect(try await bans(jail, filter: filter, lines(every: 2, 4)).isEmpty)
    #expect(try await bans(jail, filter: filter, lines(every: 3, 9)).isEmpty)
    let ban = try #require(try await bans(jail, filter: filter, lines(every: 2, 5)).first)
    #expect(ban["time"] as? String == "2026-11-21T07:00:08Z")
  }

  @Test func aHundredAndFiftyRequestsAMinute() async throws {
    func lines(_ count: Int, in seconds: Int) -> [String] {
      (0..<count).map { number in
        let second = number * seconds / count
        let time = "07:0\(second / 60):\(second % 60 < 10 ? "0" : "")\(second % 60)"
        return #"192.0.2.7 - - [21/Nov/2026:\#(time) +0000] "GET /\#(number) HTTP/1.1" 200 1 "-" "x""#
      }
    }
    let filter = #"""
      service: own
      patterns:
        - {name: request, match: '^<host> [^ ]+ .*? \[[0-9]{2}/[A-Z][a-z]{2}/[0-9:]{13} [+-][0-9]{4}\] "'}
      """#
    let jail = "maxretry: 150, findtime: 1m, bantime: 10m"
    #expect(try await bans(jail, filter: filter, lines(149, in: 30)).isEmpty)
    #expect(try await bans(jail, filter: filter, lines(280, in: 120)).isEmpty)
    let ban = try #require(try await bans(jail, filter: filter, lines(150, in: 30)).first)
    #expect(ban["id"] as? String == "192.0.2.7" && ban["count"] as? Int == 150)
  }
}
