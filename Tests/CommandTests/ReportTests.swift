import Foundation
import FoundationXML
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct ReportTests {
  private func recorded() async throws -> AuditCommandTests.Recorded {
    let store = try await AuditCommandTests.Recorded()
    let stamp = ISO8601DateFormatter().string(from: Date().addingTimeInterval(-60))
    let log = try store.scratch.write(
      "markup.log",
      "\(stamp) web sshd[9]: Failed password for <script>alert(1)</script>&'\" from 192.0.2.98 port 1 ssh2\n")
    let replay = try await store.run("replay", "--record", log)
    try #require(replay.status == 0, "\(replay)")
    return store
  }

  /// One file that loads nothing, in which what attackers wrote is text.
  @Test func theReportNeedsNothingElse() async throws {
    let store = try await recorded()
    let path = store.scratch.path + "/report.html"
    let finished = try await store.run("report", "--since", "1h", "--output", path)
    #expect(finished.status == 0, "\(finished)")
    let html = try String(contentsOfFile: path, encoding: .utf8)
    for text in ["src=", "href=", "url(", "@import", "http:", "https:", "<script"] {
      #expect(!html.contains(text), "\(text)")
    }
    #expect(html.contains("&lt;script&gt;alert(1)"))
    #expect(html.contains("192.0.2.7"))
    #expect(html.contains("<b>5</b><span>failures</span>"))
    #expect(html.contains("<b>1</b><span>bans</span>"))
    // Well-formed: every parser of XML agrees on where the charts end.
    let charts = html.components(separatedBy: "<svg").dropFirst().map {
      "<svg" + $0.components(separatedBy: "</svg>")[0] + "</svg>"
    }
    #expect(charts.count > 6)
    for chart in charts { #expect(XMLParser(data: Data(chart.utf8)).parse(), "\(chart)") }
    let again = try await store.run("report", "--since", "1h", "--output", "-")
    #expect(again.output.hasPrefix("<!DOCTYPE html>"))
  }

  @Test func everythingCanBeExported() async throws {
    let store = try await recorded()
    let plain = try await store.run("audit", "export")
    #expect(plain.status == 0)
    // Two replays, a transaction each: its failures, then what they led to.
    #expect(
      try plain.objects.map { $0["kind"] as? String } == ["failure", "failure", "failure", "failure", "ban", "failure"])
    #expect(try await store.run("audit", "export", "--before", "2020-01-01").output.isEmpty)
    let path = store.scratch.path + "/audit.jsonl.gz"
    #expect(try await store.run("audit", "export", "--output", path).status == 0)
    #expect(try await Binary.shell("gzip -dc \(path)").output == plain.output)
    let bad = try await store.run("audit", "export", "--output", store.scratch.path + "/none/x")
    #expect(bad.status == 1)
    #expect(bad.error.contains("cannot be written"))
  }

  /// An archive that exists is worth more than half of the next one.
  @Test func anExportThatFailsLeavesTheOneBefore() async throws {
    let store = try await recorded()
    let path = try store.scratch.write("audit.jsonl.zst", "the archive of last year")
    // The compressor may write nothing. Somebody else has the store open, as a daemon has: whoever opens it alone makes a file
    // for the shared memory first.
    let database = store.scratch.path + "/state/bailiff.db"
    let failed = try await Binary.shell(
      """
      exec 3> >(exec sqlite3 \(database) >/dev/null); echo 'SELECT count(*) FROM batch;' >&3
      until [ -s \(database)-shm ]; do sleep 0.01; done
      (ulimit -f 0; exec bailiff audit export --output \(path) --config \(store.config)); status=$?
      exec 3>&-; exit $status
      """)
    #expect(failed.status == 1)
    #expect(failed.error.contains("bailiff: zstd failed: is it installed"), "\(failed.error)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "the archive of last year")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.scratch.path).filter { $0.hasSuffix(".partial") } == [])
    #expect(try await store.run("audit", "export", "--output", path).status == 0)
    #expect(try await Binary.shell("zstd -dc \(path) | wc -l").output == "6\n")
  }

  @Test func whoReadsAnExportMayLeave() async throws {
    let store = try await recorded()
    let none = try await Binary.shell(
      "bailiff audit export --config \(store.config) | true; echo ${PIPESTATUS[0]}")
    #expect(none.output == "0\n")
    #expect(none.error.isEmpty)
    let full = try await Binary.shell("bailiff audit export --config \(store.config) > /dev/full")
    #expect(full.status == 1)
    #expect(full.error == "bailiff: standard output: cannot be written: No space left on device\n")
    let device = try await store.run("audit", "export", "--output", "/dev/full")
    #expect(device.status == 1)
    #expect(FileManager.default.fileExists(atPath: "/dev/full"))
  }

  @Test func aCheckpointIsProvenLater() async throws {
    let store = try await recorded()
    let checkpoint = try await store.run("audit", "checkpoint").output.trimmingCharacters(in: .newlines)
    let log = try store.scratch.write("later.log", AuditCommandTests.log(end: Date()))
    #expect(try await store.run("replay", "--record", log).status == 0)
    #expect(try await store.run("audit", "verify", "--checkpoint", checkpoint).status == 0)
    #expect(
      try await Binary.shell(
        "sqlite3 \(store.scratch.path)/state/bailiff.db \"UPDATE decision SET count = count + 1\""
      ).status == 0)
    let changed = try await store.run("audit", "verify")
    #expect(changed.status == 1)
    #expect(changed.output.contains("was changed"))
  }
}
