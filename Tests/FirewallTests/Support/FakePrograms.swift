import Foundation
import System

@testable import Firewall

/// A directory with scripts named `ipset`, `iptables` … that write down their arguments and input, fail when told to, and
/// otherwise hand over to the real program.
struct FakePrograms: Sendable {
  let path: String
  static let names = ["ipset", "iptables", "iptables-restore", "ip6tables", "ip6tables-restore"]

  enum Failure: String, CaseIterable, Sendable {
    /// Nothing was done.
    case before
    /// All was done, and failure is reported.
    case after
  }

  /// - Parameters:
  ///   - names: which programs are there.
  ///   - failing: which call fails, from 1; 0: none.
  ///   - setup: shell commands that run first.
  init(_ names: [String] = Self.names, failing: Int = 0, how: Failure = .before, setup: String = "") throws {
    path = NSTemporaryDirectory() + "bailiff-fake-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in names {
      try """
      #!/bin/sh
      cd \(path)
      n=$(($(cat count 2>/dev/null || echo 0) + 1))
      echo $n >count
      cat >input.$n
      echo "\(name) $*" >>calls
      \(setup)
      if [ $n = \(failing) ]; then
        case \(how.rawValue) in
          before) ;;
          after) /usr/sbin/\(name) "$@" <input.$n >/dev/null 2>&1 ;;
        esac
        echo "made to fail" >&2
        exit 3
      fi
      exec /usr/sbin/\(name) "$@" <input.$n

      """.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(path)/\(name)")
    }
  }

  var calls: [String] {
    (SmallFile.text("\(path)/calls") ?? "").split(separator: "\n").map(String.init)
  }

  func input(of call: Int) -> String { SmallFile.text("\(path)/input.\(call)", limit: 1 << 30) ?? "" }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
