import API
import ArgumentParser
import Glibc
import JSON
import Model
import Settings
import System

struct ReportFailure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report-failure",
    abstract: "Count a failure that a program has seen itself.",
    discussion: """
      It counts as a line in a log would: the jail's window, ignoreip and bantime hold, and the audit names who reported it.

      Examples:
        bailiff report-failure --jail shop 192.0.2.7
        bailiff report-failure --jail shop --user alice --text 'wrong password' 192.0.2.7 2001:db8::7

      Root and whom the daemon's socket admits may report for every jail, others for those that `failures: {allow: …}` names.
      Exits 1 when it was not counted.
      """)

  @Option(help: "The jail that counts it.")
  var jail: String
  @Option(help: "Whom it was tried as.")
  var user: String?
  @Option(help: "What happened, for the audit.")
  var text: String?
  @Option(help: "How many failures it is, from 1 to 1000.")
  var count: Int?
  @Option(help: ArgumentHelp("The socket of `failures`, where the settings cannot be read.", valueName: "path"))
  var socket: String?
  @Argument(help: "Whose it was: addresses.")
  var addresses: [String]
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let requests = addresses.map { FailureRequest(jail: jail, id: $0, count: count, user: user, text: text) }
    for request in requests { try request.check() }
    let send = try sender()
    var output = Output()
    defer { output.flush() }
    for request in requests {
      let reply = try send(request)
      if format.json {
        output.json(reply)
      } else {
        output.line("counted \(reply.id) in jail \(reply.jail)\(reply.banned ? "; it is banned" : "")")
      }
    }
  }

  /// By the API where it admits this user, else by the datagram socket.
  private func sender() throws -> (FailureRequest) throws -> FailureReply {
    if let socket { return { try Self.send($0, to: socket) } }
    // Safe: access(2) reads the path during the call.
    let isHidden = unsafe access(config.path, R_OK) != 0 && errno == EACCES
    if isHidden { return { try Self.send($0, to: FailureSettings.usualSocket) } }
    let reading = Settings.readGeneral(path: config.path).settings
    let client = try config.client()
    guard let socket = reading.failures?.socket, unsafe access(client.socket, W_OK) != 0 && errno == EACCES else {
      return { try client.report($0) }
    }
    return { try Self.send($0, to: socket) }
  }

  private static func send(_ request: FailureRequest, to path: String) throws -> FailureReply {
    let answer: [UInt8]
    do throws(SystemError) {
      answer = try DatagramSocket.unix(path, answered: true).ask(JSONOutput.line(of: request))
    } catch {
      throw RequestError(
        error.code == ENOENT || error.code == ECONNREFUSED ? .notRunning : .failed, "\(error)",
        remedy: "is `bailiff run` running, with `failures` in its settings?")
    }
    if let reply = try? JSONInput.decode(ErrorReply.self, from: answer) { throw reply.error }
    return try JSONInput.decode(FailureReply.self, from: answer)
  }
}
