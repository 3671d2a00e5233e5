import API
import Foundation
import Synchronization
import Testing

/// These run as root, and ask as other users through setpriv(1).
@Suite(.timeLimit(.minutes(2))) struct AdmissionTests {
  /// A reload asked for by curl as another user.
  private func reload(_ server: TestServer, as flags: [String]) async throws -> Finished {
    try await run(
      ["setpriv"] + flags + [
        "curl", "-sS", "--unix-socket", server.socket, "-X", "POST", "http://bailiff/api/v1/reload",
      ])
  }

  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test func theSocketIsForItsOwnerAndGroupOnly() async throws {
    let server = try TestServer()
    try await server.start(group: "4242")
    #expect(try mode(server.socket) == 0o660)
    let attributes = try FileManager.default.attributesOfItem(atPath: server.socket)
    #expect(attributes[.groupOwnerAccountID] as? Int == 4242)
    // The kernel refuses the connection.
    let stranger = try await reload(server, as: ["--reuid", "65534", "--regid", "65534", "--clear-groups"])
    #expect(stranger.status != 0)
    #expect(server.received.withLock { $0.isEmpty })
    await server.stop()
  }

  @Test func membersOfTheGroupAreAdmitted() async throws {
    let server = try TestServer()
    try await server.start(group: "4242")
    let primary = try await reload(server, as: ["--reuid", "65534", "--regid", "4242", "--clear-groups"])
    #expect(primary.output.contains("maxretry 5"), "\(primary)")
    let supplementary = try await reload(server, as: ["--reuid", "65534", "--regid", "65534", "--groups", "7,4242"])
    #expect(supplementary.output.contains("maxretry 5"), "\(supplementary)")
    let who = server.operators.withLock { $0 }
    #expect(who.map(\.uid) == [65534, 65534])
    #expect(who.map(\.gid) == [4242, 65534])
    #expect(who.first?.user == "nobody")
    await server.stop()
  }

  @Test func whoeverGetsPastTheModeIsRefusedByName() async throws {
    let server = try TestServer()
    try await server.start(group: "4242")
    try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: server.socket)
    let stranger = try await reload(server, as: ["--reuid", "65534", "--regid", "65534", "--groups", "7,8"])
    let expected = """
      {"error":{"kind":"not_permitted","message":"uid 65534 may not control bailiff; only root and members of group 4242 \
      may","remedy":"use sudo, or join the group: usermod -aG 4242 USER"},"title":"Forbidden","status":403,"detail":"uid 65534 may \
      not control bailiff; only root and members of group 4242 may; use sudo, or join the group: usermod -aG 4242 USER"}

      """
    #expect(stranger.output == expected)
    #expect(server.received.withLock { $0.isEmpty })
    await server.stop()
  }
}
