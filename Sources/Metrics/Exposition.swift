/// Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
///
/// ```swift
/// var text = Exposition()
/// text.family("bailiff_bans", .gauge, "Bans in force.") { $0.sample(12, ["jail": "sshd"]) }
/// print(text.text)
/// ```
public struct Exposition {
  public enum Kind: String, Sendable { case counter, gauge, histogram }

  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  public private(set) var text = ""

  public init() {}

  /// The samples of one metric.
  public struct Family {
    fileprivate var text = ""
    fileprivate let name: String

    public mutating func sample(_ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
      add("", value, labels.map { ($0, $1) })
    }

    public mutating func sample(_ value: some BinaryInteger, _ labels: KeyValuePairs<String, String> = [:]) {
      sample(Double(value), labels)
    }

    public mutating func sample(_ histogram: Histogram) {
      for (bound, count) in histogram.cumulative { add("_bucket", Double(count), [("le", "\(bound)")]) }
      add("_bucket", Double(histogram.count), [("le", "+Inf")])
      add("_sum", histogram.sum, [])
      add("_count", Double(histogram.count), [])
    }

    private mutating func add(_ suffix: String, _ value: Double, _ labels: [(String, String)]) {
      let list = labels.map { "\($0)=\"\(Exposition.escaped($1, quotes: true))\"" }.joined(separator: ",")
      text += name + suffix + (list.isEmpty ? "" : "{\(list)}") + " \(Exposition.number(value))\n"
    }
  }

  /// One metric with its samples; a family without samples is left out.
  public mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: (inout Family) -> Void) {
    var family = Family(name: name)
    samples(&family)
    guard !family.text.isEmpty else { return }
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n" + family.text
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
