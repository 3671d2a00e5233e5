import Foundation
import Testing

@testable import Service

@Suite struct ResidentMemoryTests {
  @Test func onlyMappingsThatNothingWasWrittenToAreGivenBack() {
    let smaps = """
      00400000-00500000 r--p 00000000 fe:00 4711                       /usr/bin/bailiff
      Size:               1024 kB
      Anonymous:             0 kB
      VmFlags: rd mr mw me
      00500000-00900000 r-xp 00100000 fe:00 4711                       /usr/bin/bailiff
      Anonymous:             0 kB
      00900000-00a00000 r--p 00500000 fe:00 4711                       /usr/bin/bailiff
      Anonymous:             8 kB
      00a00000-00b00000 rw-p 00600000 fe:00 4711                       /usr/bin/bailiff
      Anonymous:             0 kB
      00b00000-00c00000 r--p 00000000 00:00 0
      Anonymous:             0 kB
      00c00000-00d00000 r--s 00000000 fe:00 4712                       /var/lib/bailiff/bailiff.db-shm
      Anonymous:             0 kB
      00d00000-00e00000 r-xp 00000000 00:00 0                          [vdso]
      Anonymous:             0 kB
      """
    #expect(ResidentMemory.unwritten(smaps) == [0x400000..<0x500000, 0x500000..<0x900000])
  }

  /// This very process goes on, with less of its files resident.
  @Test func theProcessGoesOnWithFewerPages() throws {
    let before = try resident()
    ResidentMemory.giveBackFilePages()
    let after = try resident()
    #expect(after < before)
  }

  /// RssFile in kB (proc_pid_status(5)).
  private func resident() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
    return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
  }
}
