import Detection
import Model
import Testing

@testable import Settings

struct AutomaticTests {
  static let library = FilterLibrary(directories: [FilterFileTests.filters], builtin: [])

  @Test func aJailForEachFilterWithLogs() {
    let machine = Settings.Machine(hasFile: { $0 == "/var/log/nginx/access.log" }, hasJournal: false)
    let settings = Settings.automatic(library: Self.library, machine: machine)
    #expect(settings.firewall.backend == .dryRun)
    #expect(settings.state == "/var/lib/bailiff")
    #expect(settings.jails.map(\.name) == ["nginx-probe"])
    let jail = settings.jails[0]
    #expect(jail.logpath == ["/var/log/nginx/access.log"] && jail.journalmatch.isEmpty)
    #expect(jail.limits.maxretry == 20 && jail.limits.findtime == .minutes(1))
    #expect(jail.ports == Ports(ranges: [80...80, 443...443]))
  }

  @Test func theJournalCounts() {
    let machine = Settings.Machine(hasFile: { _ in false }, hasJournal: true)
    let jails = Settings.automatic(library: Self.library, machine: machine).jails
    #expect(jails.map(\.name) == ["sshd"])
    #expect(jails[0].sources(on: machine).journal == ["_SYSTEMD_UNIT=ssh.service", "_COMM=sshd"])
  }

  @Test func nothingToWatch() {
    let machine = Settings.Machine(hasFile: { _ in false }, hasJournal: false)
    #expect(Settings.automatic(library: Self.library, machine: machine).jails.isEmpty)
  }

  @Test func aUsersStateIsTheirs() {
    var machine = Settings.Machine(
      hasFile: { _ in false }, hasJournal: false, isRoot: false, environment: ["HOME": "/home/a"])
    var settings = Settings.automatic(library: Self.library, machine: machine)
    #expect(settings.state == "/home/a/.local/state/bailiff")
    #expect(settings.socket == "/home/a/.local/state/bailiff/bailiff.sock")
    machine.environment = ["HOME": "/home/a", "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/7"]
    settings = Settings.automatic(library: Self.library, machine: machine)
    #expect(settings.state == "/s/bailiff" && settings.socket == "/run/user/7/bailiff.sock")
  }

  @Test func thisMachine() {
    #expect(Settings.Machine.current.hasFile("/proc/self/st*s"))
    #expect(!Settings.Machine.current.hasFile("/nonexistent/*"))
  }
}
