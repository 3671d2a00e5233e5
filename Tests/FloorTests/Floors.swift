import Foundation

/// What must not get worse: counts, so that a busy machine cannot fail them. Who makes something better lowers them too.
struct Floors: Decodable {
  /// A line that does not match costs none; the chunks in which lines come cost a few.
  var allocationsPerThousandUnmatchedLines: Int
  /// Of lines in which the prefilter finds something, and no pattern does. A debug build takes one each, a release none.
  var allocationsPerThousandUnmatchedCandidates: Int
  var candidatesPerThousandLines: Int
  /// With what the allocator rounds up, which differs by a few kilobytes from run to run: leave a few per cent.
  var bytesPerIdThatFailedOnce: Double
  var bytesPerIdThatFailedThrice: Double

  /// The package's directory.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static func read() throws -> Floors {
    try JSONDecoder().decode(
      Floors.self, from: Data(contentsOf: URL(fileURLWithPath: root + "/Benchmarks/floors.json")))
  }
}
