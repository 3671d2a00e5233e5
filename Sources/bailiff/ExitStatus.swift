import ArgumentParser
import AuditLog
import Firewall
import Glibc
import Model
import Settings
import System

/// What scripts are told; the same for every command.
enum ExitStatus: Int32 {
  case done = 0
  /// Not banned, samples fail, the record was changed, the daemon refused.
  case rejected = 1
  /// Wrong usage or settings.
  case usage = 2
  /// The daemon is not there.
  case notRunning = 3
  /// `status`: something needs a person.
  case attention = 4
}

/// A command's end that is not success: one line for people, a status for scripts.
struct CommandFailure: Error {
  var status: ExitStatus
  /// Nil: everything has been said already.
  var message: String?

  init(_ status: ExitStatus, _ message: String? = nil) {
    self.status = status
    self.message = message
  }
}

extension ExitStatus {
  /// Says what is wrong on standard error and ends the process.
  static func end(with error: any Error) -> Never {
    switch error {
    case let error as CommandFailure:
      if let message = error.message { complain(message) }
      exit(error.status.rawValue)
    case let error as RequestError:
      // The daemon's settings errors come a line each.
      for line in error.description.split(separator: "\n") { complain(String(line)) }
      exit(ExitStatus(error.kind).rawValue)
    case let error as SettingsErrors:
      for error in error.errors { complain(error.description, program: false) }
      exit(usage.rawValue)
    case let error as SettingsError:
      complain(error.description, program: false)
      exit(usage.rawValue)
    case let error as FirewallError:
      complain(error.description)
      exit(rejected.rawValue)
    case let error as StoreError:
      complain(error.description)
      exit(ExitStatus(error.kind).rawValue)
    case let error as SystemError:
      complain(error.description)
      exit(rejected.rawValue)
    default: end(withParserError: error)
    }
  }

  /// ArgumentParser's errors and requests for help. Its own status for wrong usage is 64 (sysexits); ours is 2.
  private static func end(withParserError error: any Error) -> Never {
    let code = Bailiff.exitCode(for: error)
    let text = Bailiff.fullMessage(for: error)
    if code == .success {
      var output = Output()
      output.write(text)
      output.write("\n")
      output.flush()
      exit(done.rawValue)
    }
    if !text.isEmpty { Diagnostics.write(text + "\n") }
    exit(code == .validationFailure ? usage.rawValue : code.rawValue == 0 ? rejected.rawValue : code.rawValue)
  }

  private static func complain(_ message: String, program: Bool = true) {
    Diagnostics.write((program ? "bailiff: " : "") + printable(message) + "\n")
  }

  init(_ kind: StoreError.Kind) {
    self =
      switch kind {
      case .usage, .missing, .cannotOpen, .newer: .usage
      case .corrupt, .full, .io, .busy, .inUse, .other: .rejected
      }
  }

  init(_ kind: RequestError.Kind) {
    self =
      switch kind {
      case .notRunning, .deadline: .notRunning
      case .invalid: .usage
      case .rejected, .notPermitted, .failed, .unauthenticated, .tooMany, .notFound, .misdirected: .rejected
      }
  }
}
