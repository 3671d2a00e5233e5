import AuditLog
import Foundation
import Model
import Settings
import Synchronization
import System
import TestSupport

@testable import Outputs

/// A real audit log, from which outputs are told as by the daemon.
final class Log {
  let directory: TestDirectory
  let store: AuditStore
  let outputs: Outputs
  let notices = Notices()
  private var runners: [ConsumerRunner] = []
  /// As the store keeps them across a restart.
  private let positions = Positions()

  init() throws {
    directory = try TestDirectory("outputs")
    store = try AuditStore(path: directory("bailiff.db"))
    outputs = Outputs(version: "1.2.3") { [notices] in notices.add($0) }
  }

  final class Notices: Sendable {
    private let all = Mutex<[OutputNotice]>([])
    func add(_ notice: OutputNotice) { all.withLock { $0.append(notice) } }
    var values: [OutputNotice] { all.withLock { $0 } }
  }

  private final class Positions: Sendable {
    private let all = Mutex<[String: AuditPosition]>([:])
    subscript(name: String) -> AuditPosition? {
      get { all.withLock { $0[name] } }
      set { all.withLock { $0[name] = newValue } }
    }
  }

  /// Begins to tell them, from the beginning or from where they were.
  func start(_ settings: OutputSettings...) throws {
    var all = Settings()
    all.outputs = settings
    for consumer in outputs.consumers(all) {
      let known = try positions[consumer.name] ?? AuditStore.readOnly(path: directory("bailiff.db")).beginning()
      let runner = ConsumerRunner(consumer, path: directory("bailiff.db"), position: known) { [positions] position in
        positions[consumer.name] = position
      }
      runners.append(runner)
      Thread.detachNewThread { runner.run(poll: .milliseconds(20)) }
    }
  }

  func stop() {
    for runner in runners { runner.stop(waiting: .seconds(10)) }
    runners = []
  }

  deinit { stop() }

  /// Bans of 10.0.0.0, 10.0.0.1, …
  func ban(_ numbers: Range<Int>, jail: String = "sshd", at time: Instant = SystemClock.now()) throws {
    try store.commit(
      FailureBatch(), names: Names(jails: [], patterns: [], sources: []),
      decisions: numbers.map { number in
        Decision(
          action: .ban, jail: jail, identity: Identity("10.0.\(number / 256).\(number % 256)"), time: time,
          until: time.adding(.hours(1)), count: 3, number: 1, cause: .limit)
      })
  }

  func event(_ action: AuditEvent.Action, _ subject: String = "", _ detail: String = "") throws {
    try store.record(AuditEvent(time: SystemClock.now(), action: action, subject: subject, detail: detail))
  }
}

func webhook(_ receiver: Receiver, _ change: (inout WebhookSettings) -> Void = { _ in }) -> OutputSettings {
  var webhook = WebhookSettings(url: .text("http://127.0.0.1:\(receiver.port)/hook"))
  change(&webhook)
  var output = OutputSettings(name: "ops", destination: .webhook(webhook))
  output.kinds = [.ban]
  return output
}

/// The addresses that bodies without a preset tell of, in their order.
func ids(_ bodies: [[String: Any]]) -> [String] {
  bodies.flatMap { ($0["events"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String } }
}

func address(_ number: Int) -> String { "10.0.\(number / 256).\(number % 256)" }
