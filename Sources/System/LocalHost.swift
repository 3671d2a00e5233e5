internal import CLinux
internal import Glibc

public enum LocalHost {
  /// What this machine calls itself (gethostname(2)).
  public static var name: String {
    var name = [UInt8](repeating: 0, count: 256)
    // Safe: at most one byte less than the array's size is written, so that a zero ends it.
    let result = unsafe name.withUnsafeMutableBytes { unsafe gethostname($0.baseAddress!, $0.count - 1) }
    return result == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : "localhost"
  }
}
