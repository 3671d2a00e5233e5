import Foundation
import Metrics
import TestSupport
import Testing

/// The text, as prometheus-client's own parser reads it.
struct ExpositionTests {
  private static func parsed(_ text: Exposition) throws -> [MetricSample] {
    let directory = try TestDirectory("metrics")
    return try MetricSample.parse(try directory.write("text", text.text))
  }

  @Test func everyLabelComesBackAsItWas() throws {
    let hostile = "a\\b\"c\nd}e{f=\"g\" é\t"
    var text = Exposition()
    text.family("a_total", .counter, "One\\two\nthree \"four\".") { $0.sample(3, ["x": hostile, "y": ""]) }
    text.family("none", .gauge, "Has no samples.") { _ in }
    text.family("b", .gauge, "Numbers.") { family in
      for (index, value) in [0, -1.5, 1e15, 1e300, 0.1, 4_294_967_296].enumerated() {
        family.sample(value, ["n": "\(index)"])
      }
    }
    let samples = try Self.parsed(text)
    #expect(samples.map(\.family) == ["a", "b", "b", "b", "b", "b", "b"] && samples[0].type == "counter")
    #expect(samples[0].labels == ["x": hostile, "y": ""] && samples[0].help == "One\\two\nthree \"four\".")
    #expect(samples.dropFirst().map(\.value) == [0, -1.5, 1e15, 1e300, 0.1, 4_294_967_296])
  }

  @Test func aHistogramCountsUpwards() throws {
    var latency = Histogram()
    for seconds in [0.00005, 0.001, 0.0011, 0.2, 3, 3600, -1] { latency.observe(seconds) }
    var text = Exposition()
    text.family("t_seconds", .histogram, "Time.") { $0.sample(latency) }
    let samples = try Self.parsed(text)
    func bucket(_ bound: String) -> Double? { samples.first { $0.labels["le"] == bound }?.value }
    #expect(samples.allSatisfy { $0.family == "t_seconds" && $0.type == "histogram" })
    #expect(bucket("0.0001") == 2 && bucket("0.001") == 3 && bucket("0.0025") == 4 && bucket("0.25") == 5)
    #expect(bucket("60.0") == 6 && bucket("+Inf") == 7)
    #expect(samples.first { $0.name == "t_seconds_count" }?.value == 7)
    #expect(abs((samples.first { $0.name == "t_seconds_sum" }?.value ?? 0) - 3603.20215) < 1e-6)
  }
}
