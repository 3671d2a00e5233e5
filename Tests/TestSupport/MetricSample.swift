import Foundation

/// A sample of Prometheus' text format, as prometheus-client's parser (PyPI, Debian) reads it.
public struct MetricSample: Sendable {
  public var family: String
  public var type: String
  public var help: String
  public var name: String
  public var labels: [String: String]
  public var value: Double

  public struct NotParsed: Error, CustomStringConvertible {
    public var description: String
  }

  /// - Throws: `NotParsed` with what the parser said.
  public static func parse(_ file: String) throws -> [MetricSample] {
    let result = try Shell.runBlocking(
      "\(Receiver.python) \(Receiver.fixtures)/parse_metrics.py < \(Shell.quoted(file))")
    guard result.status == 0 else { throw NotParsed(description: result.text) }
    return try result.text.split(separator: "\n").map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let value = (object["value"] as? String).flatMap(Double.init)
      else { throw NotParsed(description: String(line)) }
      func text(_ name: String) -> String { object[name] as? String ?? "" }
      return MetricSample(
        family: text("family"), type: text("type"), help: text("help"), name: text("name"),
        labels: object["labels"] as? [String: String] ?? [:], value: value)
    }
  }
}
