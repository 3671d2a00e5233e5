import Model
import Synchronization
import Testing

@Suite struct WarningTests {
  private let first = Instant(seconds: 1_795_843_441)
  private let later = Instant(seconds: 1_795_843_500)

  @Test func whatIsRaisedAgainKeepsItsFirstMomentAndTheNewestText() {
    let warnings = ActiveWarnings()
    warnings.raise(.jailBlind, of: "sshd", "no source", at: first)
    warnings.raise(.jailBlind, of: "sshd", "no source at all", at: later)
    #expect(warnings.all == [Warning(.jailBlind, of: "sshd", "no source at all", since: first)])
  }

  @Test func aClearedWarningBeginsAgain() {
    let warnings = ActiveWarnings()
    warnings.raise(.storeNotWriting, "no space left on device", at: first)
    warnings.clear(.storeNotWriting)
    #expect(warnings.all.isEmpty)
    warnings.raise(.storeNotWriting, "no space left on device", at: later)
    #expect(warnings.all.map(\.since) == [later])
  }

  @Test func settingACodeClearsItsOthersOnly() {
    let warnings = ActiveWarnings()
    warnings.raise(.firewallRuleAbove, of: "INPUT", "ACCEPT all", at: first)
    warnings.set(.jailDropped, to: [("a", "one"), ("b", "two")], at: first)
    warnings.set(.jailDropped, to: [("b", "two"), ("c", "three")], at: later)
    #expect(warnings.all.map(\.subject) == ["b", "c", "INPUT"])
    #expect(warnings.all.map(\.since) == [first, later, first])
  }

  @Test func eachChangeIsToldOnce() {
    let told = Told()
    let warnings = ActiveWarnings { change, _ in told.texts.withLock { $0.append("\(change)") } }
    warnings.raise(.clock, "one", at: first)
    warnings.raise(.clock, "another text", at: later)
    warnings.clear(.clock)
    warnings.clear(.clock)
    let texts = told.texts.withLock { $0 }
    #expect(texts.count == 2)
    #expect(texts.first?.hasPrefix("raised") ?? false)
    #expect(texts.last?.hasPrefix("cleared") ?? false)
  }

  private final class Told: Sendable { let texts = Mutex<[String]>([]) }
}
