/// A size on disk: a number of bytes, or with `K`, `KB`, `KiB` … up to `T`. `KB` is 1000 bytes, `K` and `KiB` 1024.
public enum ByteSize {
  /// Nil for what is none.
  public static func parse(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let number = Double(digits), number >= 0 else { return nil }
    let factor: Double
    switch text.dropFirst(digits.count).drop(while: { $0 == " " }).lowercased() {
    case "", "b": factor = 1
    case "k", "kib": factor = 1024
    case "kb": factor = 1000
    case "m", "mib": factor = 1_048_576
    case "mb": factor = 1_000_000
    case "g", "gib": factor = 1_073_741_824
    case "gb": factor = 1_000_000_000
    case "t", "tib": factor = 1_099_511_627_776
    case "tb": factor = 1_000_000_000_000
    default: return nil
    }
    let bytes = number * factor
    return bytes < 1e18 ? Int64(bytes) : nil
  }
}
