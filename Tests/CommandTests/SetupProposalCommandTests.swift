import Foundation
import TestSupport
import Testing

/// `bailiff setup` on a machine whose files stand in a directory: what it proposes, writes, and proposes then.
@Suite(.timeLimit(.minutes(3))) struct SetupProposalCommandTests {
  private static let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
    .standardizedFileURL.path(percentEncoded: false)

  @Test func jailsAreProposedAndWritten() async throws {
    let scratch = try TestDirectory()
    let root = scratch("root")
    for path in ["sys/fs/cgroup/system.slice/ssh.service", "proc", "run/log/journal/x"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
    }
    try scratch.write("root/run/log/journal/x/system.journal", "x")
    let config = try scratch.write(
      "bailiff.yaml", "# mine\nfilters: [\(Self.filters)]\nstate: \(scratch.path)\nsocket: \(scratch("s"))\n")
    let options = ["--root", root, "--config", config]

    let printed = try await Binary.run(["setup", "--print"] + options)
    #expect(printed.status == 0, "\(printed.error)")
    #expect(printed.output == "jails:\n  sshd: {filter: sshd}  # the unit ssh.service runs\n")

    let check = try await Binary.run(["setup", "--check"] + options)
    #expect(check.status == 1, "there is something to add")
    #expect(check.output.contains("ignoreip"), "nobody is added there without a word")
    #expect(try String(contentsOfFile: config, encoding: .utf8).hasSuffix("/s\n"), "nothing was written")

    let written = try await Binary.run(["setup", "--yes"] + options)
    #expect(written.status == 0, "\(written.error)")
    let text = try String(contentsOfFile: config, encoding: .utf8)
    #expect(text.hasPrefix("# mine\n") && text.contains("sshd: {filter: sshd}"))
    #expect(try await Binary.run("check", "--config", config).status == 0)

    let again = try await Binary.run(["setup"] + options)
    #expect(again.status == 0 && again.output.contains("nothing to add"), "\(again.output)\(again.error)")
  }

  @Test func whatCannotBeTogether() async throws {
    #expect(try await Binary.run("setup", "--print", "--go-live").status == 2)
    #expect(try await Binary.run("setup", "--keep", "--go-live").status == 2)
  }
}
