import Model
import Settings
import Testing

@testable import Inspection

@Suite struct PostureTests {
  @Test func portsThatOthersCanReach() {
    let tcp = """
        sl  local_address rem_address   st tx_queue
         0: 0100007F:0CEA 00000000:0000 0A 00000000
         1: 00000000:0016 00000000:0000 0A 00000000
         2: 0200A8C0:01BB 00000000:0000 0A 00000000
         3: 0200A8C0:0019 0100A8C0:9999 01 00000000
      """
    #expect(PostureFacts.openPorts(tcp) == [22, 443])
    let tcp6 = """
        sl  local_address
         0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A
         1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A
         2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A
      """
    #expect(PostureFacts.openPorts(tcp6) == [80])
  }

  @Test func whatProgramsPrint() {
    #expect(
      PostureFacts.updates(
        """
        Reading package lists...
        Inst libssl3 [3.0.11-1] (3.0.13-1 Debian-Security:12/stable-security [amd64])
        Inst nano [7.2-1] (7.2-2 Debian:12.5/stable [amd64])
        Conf libssl3 (3.0.13-1 Debian-Security:12/stable-security [amd64])
        """) == ["libssl3"])
    #expect(PostureFacts.sshd("port 22\npasswordauthentication yes\n")["passwordauthentication"] == "yes")
  }

  @Test func theScoreIsTheShareOfWeightsThatAreMet() throws {
    var facts = PostureFacts(daemon: .init(isDryRun: false, warnings: []))
    facts.sshd = ["passwordauthentication": "yes", "permitrootlogin": "no"]
    let reply = PostureReply(checks: Posture(facts, Settings.Reading(settings: Settings())).checks)
    let failed = reply.checks.filter { $0.state == .failed }
    #expect(failed.map(\.check) == [.sshPasswords])
    #expect(failed.allSatisfy { $0.remedy != nil })
    let all = reply.checks.filter { $0.state != .notApplicable }.reduce(0) { $0 + $1.weight }
    #expect(reply.score == (all - failed[0].weight) * 100 / all)
  }

  @Test func anAcceptedRiskEnds() {
    let now = Instant(seconds: 1_790_000_000)
    let checks = [PostureCheck(.clock, weight: 5, why: "", met: "", problem: ("off", "mend"))]
    var file = PostureFile()
    file.accept(.clock, reason: "a laboratory", until: now.adding(.hours(1)))
    #expect(file.reply(checks, at: now).score == 100)
    #expect(file.reply(checks, at: now.adding(.hours(2))).checks[0].state == .failed)
    // One score a day.
    file.record(40, at: now)
    file.record(60, at: now.adding(.seconds(5)))
    file.record(80, at: now.adding(.hours(24)))
    #expect(file.reply([], at: now).history.map(\.score) == [60, 80])
  }
}
