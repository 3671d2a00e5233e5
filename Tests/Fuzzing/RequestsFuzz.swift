import Model

@testable import API

/// A body is refused as malformed, or is a request that its limits admit.
enum RequestsFuzz {
  static func run(_ input: [UInt8]) {
    check(BanRequest.self, input) { $0.command }
    check(UnbanRequest.self, input) { $0.command }
    check(UnbanAllRequest.self, input) { $0.command }
    check(ConfirmRequest.self, input) { $0.command }
  }

  private static func check<Request: CheckedRequest>(
    _ type: Request.Type, _ input: [UInt8], _ command: (Request) -> String
  ) {
    do {
      let request = try Request.decode(input)
      require(command(request).utf8.count < 2048, "an admitted request has no bounds")
    } catch {
      require(error.kind == .invalid, "a wrong request is called \(error.kind)")
      require(!error.message.contains("\n"), "the refusal is more than a line")
    }
  }
}
