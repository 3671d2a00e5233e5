import Foundation
import TestSupport
import Testing

/// What somebody tries first, with nothing set up.
@Suite struct NewcomerTests {
  /// A log that was brought from another machine: none of this one's services needs to be here.
  @Test(arguments: ["FILE", "- < FILE"])
  func replayNeedsNoSettings(source: String) async throws {
    try #require(!FileManager.default.fileExists(atPath: "/etc/bailiff/bailiff.yaml"))
    let files = try Files()
    try files.fail(from: "203.0.113.7")
    try files.fail(from: "203.0.113.7")
    let done = try await Shell.run("\(Files.bailiff) replay --json \(source.replacing("FILE", with: files.log))")
    #expect(done.status == 0)
    #expect(done.text.contains("\"action\":\"ban\",\"jail\":\"sshd\",\"id\":\"203.0.113.7\""), "\(done.text)")
  }
}
