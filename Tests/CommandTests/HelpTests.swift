import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct HelpTests {
  /// Every command that the program itself lists, down to the last subcommand.
  private func commands(_ prefix: [String] = []) async throws -> [[String]] {
    let help = try await Binary.run(prefix + ["--help"])
    #expect(help.status == 0)
    var found: [[String]] = []
    var isList = false
    for line in help.output.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasSuffix("SUBCOMMANDS:") {
        isList = true
      } else if isList, line.hasPrefix("  "), !line.hasPrefix("   "), !line.hasPrefix("  See"),
        let name = line.split(separator: " ").first
      {
        found.append(prefix + [String(name)])
        found += try await commands(prefix + [String(name)])
      }
    }
    return found
  }

  @Test func everyCommandTeaches() async throws {
    let commands = try await commands()
    for name in ["status", "bans", "ban", "unban", "reload", "confirm", "filter"] {
      #expect(commands.contains([name]))
    }
    #expect(commands.contains(["filter", "test"]))
    for command in commands {
      let help = try await Binary.run(command + ["--help"])
      #expect(help.status == 0, "\(command)")
      #expect(help.error.isEmpty, "\(command)")
      #expect(help.output.contains("USAGE: bailiff \(command.joined(separator: " "))"), "\(command)")
      // An example names the command that it is about.
      #expect(help.output.contains("\n  bailiff \(command.joined(separator: " "))"), "\(command)")
    }
  }

  @Test func theProgramSaysWhatItIs() async throws {
    let version = try await Binary.run("--version")
    #expect(version.status == 0)
    #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    let help = try await Binary.run("--help")
    #expect(help.output.contains("\n  3  the daemon is not there\n"))
  }

  @Test func topicsAndKeysHaveHelp() async throws {
    let topics = try await Binary.run("help", "topics")
    #expect(topics.status == 0)
    let names = topics.output.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { $0.split(separator: " ")[0] }
    #expect(names.count > 4)
    let commands = Set(try await commands().map { $0.joined(separator: " ") })
    for name in names {
      let help = try await Binary.run("help", String(name))
      #expect(help.status == 0 && !help.output.isEmpty, "\(name)")
      // What a topic tells to run is there.
      for line in help.output.split(separator: "\n") where line.hasPrefix("  bailiff ") {
        #expect(commands.contains(String(line.split(separator: " ")[1])), "\(line)")
      }
    }
    let key = try await Binary.run("help", "jails.sshd.maxretry")
    #expect(
      key.output.contains("jails.NAME.maxretry  (bailiff.yaml)\n") && key.output.contains("a whole number, 1 to "))
    let everywhere = try await Binary.run("help", "findtime").output
    #expect(everywhere.contains("defaults.findtime  (") && everywhere.contains("jails.NAME.findtime  ("))
    // A command's name stays the command's.
    #expect(try await Binary.run("help", "settings").output.contains("USAGE: bailiff settings"))
    let unknown = try await Binary.run("help", "maxrety")
    #expect(unknown.status == 2 && unknown.error.contains("did you mean `maxretry`?"), "\(unknown)")
  }

  @Test(arguments: [
    ["nonsense"], ["status", "--nonsense"], ["bans", "extra"], ["unban"], ["unban", "--all", "192.0.2.7"], ["ban"],
    ["ban", "192.0.2.7/33"], ["ban", "999.0.2.7"], ["ban", "2001:db8::1::2"], ["ban", ""],
    ["ban", "192.0.2.7", "--for", "yesterday"], ["ban", "192.0.2.7", "--for", "-5m"],
    ["ban", "192.0.2.7", "--confirm", "0s"], ["filter", "test"], ["filter", "test", "sshd", "x", "--option", "mode"],
    ["filter", "test", "sshd", "x", "--now", "yesterday"],
    ["filter", "test", "sshd", "/dev/null", "--timezone", "Mars"],
    ["filter", "test", "no-such-filter"], ["filter", "test", "/nonexistent.conf", "/dev/null"],
    ["filter", "test", "sshd", "/nonexistent.log"], ["filter", "test", "sshd", "/dev/null", "--option", "mode=ddos"],
    ["filter", "test", "sshd", "/tmp"], ["filter", "detect", "/nonexistent.log"],
  ])
  func wrongUsageExits2(_ arguments: [String]) async throws {
    let finished = try await Binary.run(arguments)
    #expect(finished.status == 2, "\(finished)")
    #expect(finished.output.isEmpty)
    #expect(!finished.error.isEmpty)
  }
}
