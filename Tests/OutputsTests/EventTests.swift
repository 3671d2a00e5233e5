import AuditLog
import Model
import Settings
import Testing

@testable import Outputs

/// What kind of news a row of the audit is.
struct EventTests {
  private static func row(_ action: AuditEvent.Action, _ subject: String = "") -> AuditRow {
    var row = AuditRow(kind: .operator, number: 1, time: Instant(microseconds: 0), action: action.rawValue)
    row.subject = subject
    return row
  }

  /// Whatever needs a person can be subscribed to, with a subject and without, when it comes and when it goes.
  @Test(arguments: Warning.Code.allCases) func everyWarningIsHealth(_ code: Warning.Code) {
    let grave: Set<Warning.Code> = [.firewallNotEnforcing, .storeNotWriting]
    for subject in ["", "sshd"] {
      let warning = Warning(code, of: subject, "text", since: Instant(microseconds: 0))
      let raised = Event(Self.row(.warningRaised, warning.name))
      let cleared = Event(Self.row(.warningCleared, warning.name))
      #expect(raised.kinds == [.health] && raised.severity == (grave.contains(code) ? .critical : .warning))
      #expect(cleared.kinds == [.health] && cleared.severity == .notice)
      #expect(!raised.isEnd && cleared.isEnd && raised.incident == cleared.incident)
    }
  }

  @Test func everyEventHasAKind() {
    let kinds: [AuditEvent.Action: (OutputSettings.Kind, OutputSettings.Severity)] = [
      .start: (.health, .info), .stop: (.health, .notice), .updated: (.health, .notice),
      .sourceFailed: (.health, .warning),
      .sourceRecovered: (.health, .notice), .firewallRepaired: (.health, .warning),
      .patternQuarantined: (.health, .warning), .shed: (.health, .critical), .storeSetAside: (.health, .critical),
      .storeGone: (.health, .critical), .reload: (.operator, .info), .command: (.operator, .info),
      .retention: (.operator, .info), .note: (.alert, .notice), .warningRaised: (.health, .warning),
      .warningCleared: (.health, .notice), .dryRun: (.health, .info), .listChanged: (.operator, .info),
      .alert: (.alert, .warning),
    ]
    for action in AuditEvent.Action.allCases {
      let event = Event(Self.row(action))
      #expect(kinds[action].map { [$0.0] == event.kinds && $0.1 == event.severity } == true, "\(action)")
    }
  }
}
