import LogSources
import TestSupport
import Testing

@Suite struct NewlineCountTests {
  @Test func countsWhatALoopCounts() {
    var random = Numbers(state: 11)
    for length in Array(0..<200) + [4095, 16_320, 16_321, 16_384, 100_001] {
      for density in [1, 3, 80] as [UInt64] {
        let bytes = (0..<length).map { _ in random.next() >> 33 % density == 0 ? UInt8(10) : UInt8(random.next() >> 56)
        }
        #expect(countLines(bytes.span) == bytes.count { $0 == 10 })
      }
    }
  }
}
