import Detection
import Model
import Testing

@Suite struct AttemptTableTests {
  private func failure(
    _ part: AttemptPart, _ second: Int64, port: UInt16 = 4711, address: String = "192.0.2.7", count: UInt32 = 1
  )
    -> Failure
  {
    var failure = Failure(time: Instant(seconds: second), address: Address(address)!, jail: 0, pattern: 0, source: 0)
    failure.port = port
    failure.connection = UInt64(port)
    failure.attempt = part
    failure.count = count
    return failure
  }

  /// Which of the lines count.
  private func counted(_ failures: [Failure]) -> [Bool] {
    var table = AttemptTable()
    return failures.map { !table.isCounted($0) }
  }

  /// A wrong password and a closed connection are one guess; a refused key leaves only the closed connection.
  @Test func theEndOfAConnectionCountsOnlyAlone() {
    #expect(counted([failure(.whole, 0), failure(.ends, 1)]) == [true, false])
    #expect(
      counted([failure(.whole, 0), failure(.whole, 2), failure(.whole, 4), failure(.ends, 5)]) == [
        true, true, true, false,
      ])
    #expect(counted([failure(.ends, 0)]) == [true])
  }

  /// "Invalid user" and "Failed password for invalid user" are one guess; the second password is another.
  @Test func whatBeginsAnAttemptIsTheAttempt() {
    #expect(
      counted([failure(.begins, 0), failure(.whole, 1), failure(.whole, 3), failure(.ends, 4)]) == [
        true, false, true, false,
      ])
    #expect(counted([failure(.begins, 0), failure(.begins, 0), failure(.whole, 1)]) == [true, false, false])
    #expect(counted([failure(.begins, 0), failure(.ends, 4)]) == [true, false])
  }

  @Test func connectionsAreKeptApart() {
    #expect(counted([failure(.whole, 0), failure(.ends, 1, port: 4712)]) == [true, true])
    #expect(counted([failure(.whole, 0), failure(.ends, 1, address: "192.0.2.8")]) == [true, true])
    #expect(counted([failure(.whole, 0), failure(.ends, 3600)]) == [true, true])
    var other = failure(.ends, 1)
    other.jail = 1
    #expect(counted([failure(.whole, 0), other]) == [true, true])
  }

  @Test func linesWithoutAPortCountEach() {
    #expect(counted([failure(.begins, 0, port: 0), failure(.whole, 0, port: 0)]) == [true, true])
  }

  /// A client that always uses the same port has another process each time.
  @Test func aFixedPortIsNotOneConnection() {
    let lines = (0..<4).map { (number: Int) in
      var line = failure(.ends, Int64(number))
      line.connection |= UInt64(800 + number) << 16
      return line
    }
    #expect(counted(lines + lines) == [true, true, true, true, false, false, false, false])
  }

  /// One page's images are one act, from the first on; who goes on is counted again.
  @Test func linesOfOneAct() {
    let lines = [0, 1, 9, 10, 11, 30].map { (second: Int64) in
      var line = failure(.together, second)
      line.actLength = 10
      return line
    }
    #expect(counted(lines) == [true, false, false, false, true, true])
    var other = lines[1]
    other.connection += 1
    #expect(counted([lines[0], other, lines[1]]) == [true, true, false])
  }

  /// "message repeated 5 times" holds more than the attempt that has begun.
  @Test func repeatedLinesCount() {
    #expect(counted([failure(.begins, 0), failure(.whole, 1, count: 5)]) == [true, true])
  }

  /// More connections than places, so that many are taken: which ones is the same in every run, as a replay's bans are.
  @Test func noAnswerDependsOnTheKey() {
    var (one, other) = (AttemptTable(seed: (1, 2)), AttemptTable(seed: (3, 4)))
    var repeated = 0
    for number in 0..<40_000 {
      let id = number &* 7919 % 20_000
      let line = failure(
        number < 20_000 ? .begins : .whole, Int64(number / 100), port: UInt16(1024 + id % 60_000),
        address: "198.51.\(id % 97).\(id % 251)")
      let isCounted = one.isCounted(line)
      #expect(other.isCounted(line) == isCounted)
      repeated += isCounted ? 1 : 0
    }
    #expect(repeated > 500 && repeated < 16_000)
  }

  @Test func timesAtTheEndsOfTimeDoNotTrap() {
    var table = AttemptTable()
    for time in [Int64.min, .max, 0, -1] {
      var line = failure(.whole, 0)
      line.time = Instant(microseconds: time)
      _ = table.isCounted(line)
    }
  }
}
