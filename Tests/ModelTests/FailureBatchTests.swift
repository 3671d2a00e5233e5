import Model
import Testing

@Suite struct FailureBatchTests {
  private func batch(_ user: String, line: String, cursor: String = "", positions: [SourcePosition]) -> FailureBatch {
    var batch = FailureBatch()
    var failure = Failure(time: Instant(seconds: 1), address: Address("192.0.2.7")!, jail: 1, pattern: 2, source: 3)
    failure.user = batch.store(Array(user.utf8).span)
    failure.line = batch.store(Array(line.utf8).span)
    if !cursor.isEmpty { failure.cursor = batch.store(Array(cursor.utf8).span) }
    batch.append(failure)
    batch.positions = positions
    return batch
  }

  @Test func oneBatchBehindAnother() {
    let a = SourcePosition(source: "a.log", position: .journal(cursor: "1"))
    let later = SourcePosition(source: "a.log", position: .journal(cursor: "2"))
    let b = SourcePosition(source: "b.log", position: .journal(cursor: "3"))
    var both = batch("root", line: "first", positions: [a])
    both.append(batch("admin", line: "the second", cursor: "c", positions: [later, b]))
    both.append(FailureBatch())
    #expect(both.failures.map { both.text($0.user) } == ["root", "admin"])
    #expect(both.failures.map { both.text($0.line) } == ["first", "the second"])
    #expect(both.failures.map { both.text($0.cursor) } == ["", "c"])
    #expect(both.failures.map { both.text($0.name) } == ["", ""])
    #expect(both.positions == [later, b])
  }
}
