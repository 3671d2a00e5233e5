import Glibc
import Model
import Synchronization
import System

/// Where people are logged in from through SSH. An address that merely has a connection open, as one that guesses
/// passwords has, is not among them.
enum Sessions {
  struct Session: Hashable {
    var address: Address
    /// Nil: the witness does not say.
    var user: String?
    /// The port of this machine; nil: the witness does not say.
    var port: UInt16?
  }

  private static let utmpFile = "/run/utmp"
  private static let logindDirectory = "/run/systemd/sessions"

  /// Three witnesses, since none is there on every machine: the processes of sshd and their connections (needs
  /// CAP_SYS_PTRACE to see those of others), utmp (gone from newer distributions), logind's files.
  static func collect() -> Set<Session> {
    processes(proc: "/proc").union(logins()).union(logind(directory: logindDirectory))
  }

  /// Is there a witness at all?
  static var canBeSeen: Bool {
    // Safe: the strings live as long as the calls.
    unsafe access(utmpFile, R_OK) == 0 || access(logindDirectory, R_OK | X_OK) == 0 || access("/proc/1/fd", R_OK) == 0
  }

  // MARK: sshd's processes

  /// sshd tells in its title who has logged in and on which terminal: `sshd: root@pts/0`, `sshd-session: alice@notty`.
  /// Before that it is `sshd: alice [priv]` or `sshd: [accepted]`.
  static func isLoggedIn(title: String) -> Bool {
    guard title.hasPrefix("sshd: ") || title.hasPrefix("sshd-session: "), let at = title.lastIndex(of: "@") else {
      return false
    }
    let terminal = title[title.index(after: at)...]
    return terminal.hasPrefix("pts/") || terminal.hasPrefix("tty") || terminal == "notty" || terminal == "internal-sftp"
  }

  /// `alice` of `sshd: alice@pts/0`.
  static func user(title: String) -> String? {
    guard let colon = title.firstIndex(of: ":"), let at = title.lastIndex(of: "@") else { return nil }
    return String(title[colon..<at].drop { $0 == ":" || $0 == " " })
  }

  static func processes(proc: String) -> Set<Session> {
    var result: Set<Session> = []
    var connections: [String: (peer: Address, port: UInt16)]?
    for pid in names(in: proc) where pid.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
      guard Protected.text("\(proc)/\(pid)/comm").hasPrefix("sshd") else { continue }
      let title = String(Protected.text("\(proc)/\(pid)/cmdline").prefix { $0 != "\0" })
      guard isLoggedIn(title: title) else { continue }
      if connections == nil {
        connections = established(Protected.text("\(proc)/\(pid)/net/tcp"))
          .merging(established(Protected.text("\(proc)/\(pid)/net/tcp6"))) { first, _ in first }
      }
      for fd in names(in: "\(proc)/\(pid)/fd") {
        guard let inode = socketInode("\(proc)/\(pid)/fd/\(fd)"), let connection = connections?[inode] else {
          continue
        }
        result.insert(Session(address: connection.peer, user: user(title: title), port: connection.port))
      }
    }
    return result
  }

  /// The peers and our ports of established connections by inode, from `/proc/net/tcp` or `tcp6` (proc(5)): 32-bit words in the machine's
  /// order.
  static func established(_ table: String) -> [String: (peer: Address, port: UInt16)] {
    var result: [String: (peer: Address, port: UInt16)] = [:]
    for line in table.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 10, fields[3] == "01", let colon = fields[2].firstIndex(of: ":"),
        let address = address(hex: fields[2][..<colon]),
        let port = fields[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) })
      else { continue }
      result[String(fields[9])] = (address, port)
    }
    return result
  }

  static func address(hex: Substring) -> Address? {
    guard hex.count == 8 || hex.count == 32 else { return nil }
    var bits: UInt128 = 0
    var rest = hex
    while !rest.isEmpty {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      bits = bits << 32 | UInt128(word.byteSwapped)
      rest = rest.dropFirst(8)
    }
    return hex.count == 8 ? Address(ipv4: UInt32(truncatingIfNeeded: bits)) : Address(bits: bits)
  }

  private static func socketInode(_ path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 64)
    let size = buffer.count
    // Safe: writes at most the buffer's count.
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe readlink(path, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, size)
    }
    guard count > 0 else { return nil }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    return text.hasPrefix("socket:[") && text.hasSuffix("]") ? String(text.dropFirst(8).dropLast()) : nil
  }

  // MARK: utmp and logind

  /// getutxent(3) keeps its place in a global.
  private static let utmp = Mutex(())

  private static func logins() -> Set<Session> {
    utmp.withLock { _ in
      var result: Set<Session> = []
      setutxent()
      defer { endutxent() }
      // Safe: each record is read before the next call replaces it; the host is cut at its size.
      while let record = unsafe getutxent() {
        guard unsafe record.pointee.ut_type == Int16(USER_PROCESS) else { continue }
        guard unsafe kill(record.pointee.ut_pid, 0) == 0 || errno == EPERM else { continue }
        let host = unsafe withUnsafeBytes(of: &record.pointee.ut_host) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let user = unsafe withUnsafeBytes(of: &record.pointee.ut_user) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if let address = Address(Protected.withoutZone(host[...])) {
          result.insert(Session(address: address, user: user.isEmpty ? nil : user))
        }
      }
      return result
    }
  }

  /// logind's own files say `REMOTE_HOST=192.0.2.7`; they are not meant for others, so what is not understood is left out.
  static func logind(directory: String) -> Set<Session> {
    var result: Set<Session> = []
    for name in names(in: directory) {
      var values: [Substring: Substring] = [:]
      for line in Protected.text("\(directory)/\(name)").split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { values[parts[0]] = parts[1] }
      }
      guard values["STATE"] != "closing", let host = values["REMOTE_HOST"],
        let address = Address(Protected.withoutZone(host))
      else { continue }
      result.insert(Session(address: address, user: values["USER"].map(String.init)))
    }
    return result
  }

  private static func names(in directory: String) -> [String] {
    ((try? Directory.names(directory)) ?? []).filter { !$0.hasPrefix(".") }
  }
}
