internal import Filters
internal import Glibc
internal import Model
internal import System

/// What a number in the settings may be.
enum Limits {
  static let maxretry = 1...1_000_000
  /// One banned address is no reason to ban its neighbours.
  static let escalateAfter = 2...65_536
  static let weight = 0...1_000_000
  /// What a number in a log may be compared with.
  static let fieldNumber = -1_000_000_000_000...1_000_000_000_000
  /// An id wider than these would let one attacker lock out a provider.
  static let ipv4Prefix = 16...32
  static let ipv6Prefix = 32...128
}

/// The keys that settings, jails and filters share.
extension Value {
  func path(_ key: String) -> String? {
    guard let text = name(key) else { return nil }
    guard text.hasPrefix("/") else {
      fail("\(quoted(key)) is \(quoted(text)), which is no absolute path", "begin it with a slash")
      return nil
    }
    return text
  }

  func logpaths() -> [String] { list("logpath")?.compactMap { $0.path("logpath") } ?? [] }

  /// Terms as journalctl(1) takes them: `_SYSTEMD_UNIT=ssh.service _COMM=sshd + _COMM=sshd-session`.
  func journalmatch() -> [String] {
    let entries = list("journalmatch")?.compactMap { value in value.name("journalmatch").map { (value, $0) } } ?? []
    return entries.compactMap { value, text in
      let terms = text.split(separator: " ")
      let wrong = terms.first { $0 != "+" && !Self.isJournalTerm($0) }
      guard let wrong else {
        guard terms.first != "+", terms.last != "+" else {
          value.fail("`journalmatch` has a `+` without a match beside it", "write FIELD=value + FIELD=value")
          return nil
        }
        return text
      }
      value.fail(
        "`journalmatch` has \(quoted(String(wrong))), which is no match",
        "write FIELD=value, for example _SYSTEMD_UNIT=ssh.service")
      return nil
    }
  }

  /// Field names are upper case, as sd_journal_add_match(3) wants them.
  private static func isJournalTerm(_ term: Substring) -> Bool {
    guard let equals = term.firstIndex(of: "="), equals > term.startIndex else { return false }
    return term[..<equals].utf8.allSatisfy { byte in
      switch byte {
      case 65...90, 48...57, UInt8(ascii: "_"): true
      default: false
      }
    }
  }

  /// Names as they were typed, each checked.
  func portNames() -> [String] {
    guard let values = list("port") else { return [] }
    var names: [String] = []
    for value in values {
      guard let text = value.name("port") else { continue }
      for part in text.split(separator: ",") {
        let word = part.filter { $0 != " " }
        guard word == "all" || Ports.range(word) != nil else {
          let number = !word.isEmpty && word.utf8.allSatisfy { $0 >= 48 && $0 <= 58 || $0 == UInt8(ascii: "-") }
          value.fail(
            number ? "\(quoted(word)) is no port" : "unknown service \(quoted(word))",
            number
              ? "write a number from 1 to 65535, or a range such as 6000:6010"
              : suggestion(
                for: word, among: Ports.names + ["all"],
                otherwise: "write its number, a name from /etc/services, or all"))
          continue
        }
        names.append(word)
      }
    }
    return names
  }

  func group() -> String? {
    guard let name = name("group") else { return nil }
    // A number needs no name.
    if UInt32(name) != nil { return name }
    // Safe: the string lives for the call; of the result (a static of libc, getgrnam(3)) only its being there is read.
    guard unsafe getgrnam(name) != nil else {
      fail("there is no group \(quoted(name))", "create it (groupadd --system \(printable(name))), or drop the key")
      return nil
    }
    return name
  }

  func protocols() -> [TransportProtocol] { list("protocol")?.compactMap { $0.choice("protocol") } ?? [] }

  /// `trusted_proxies`: addresses and blocks, and files that list them, which are read now.
  func proxies() -> [Subnet] {
    (list("trusted_proxies") ?? []).flatMap { value -> [Subnet] in
      guard let text = value.name("trusted_proxies") else { return [] }
      switch IgnoreEntry.parse(text) {
      case .success(.subnet(let subnet)):
        guard subnet.length > 0 else {
          value.fail(
            "\(quoted(text)) trusts everybody: each client could name another one", "list the proxies' addresses")
          return []
        }
        return [subnet]
      case .success(.file(let path)):
        let file = IgnoreFile.read(path)
        for error in file.errors {
          if error.place.line == 0 {
            value.fail("\(quoted(path)) \(error.message)", error.remedy)
          } else {
            problems.add(error)
          }
        }
        return file.entries.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
      case .success(.name), .failure:
        value.fail(
          "\(quoted(text)) is no address or CIDR",
          "write the proxy's address, a block such as 10.0.0.0/8, or file:/path")
        return []
      }
    }
  }

  /// Every entry; a file that is named must be readable and hold nothing but entries.
  ///
  /// Those of earlier files count too: a later file must not have somebody banned whom an earlier one protects.
  /// - Parameter everybody: may they spare everybody?
  func ignoreEntries(everybody: Bool) -> [IgnoreEntry] {
    let values = (earlier + [self]).flatMap { $0.list("ignoreip") ?? [] }
    var entries: [IgnoreEntry] = []
    // Those that have not been complained of.
    var subnets: [Subnet] = []
    func add(_ new: [Subnet], _ typed: String, to value: Value) {
      guard !everybody, let who = IgnoreEntry.everybody(in: subnets + new) else {
        subnets += new
        return
      }
      let others = IgnoreEntry.everybody(in: new) == nil ? " together with other entries" : ""
      value.fail(
        "\(quoted(typed)) spares \(who)\(others): nobody would be banned",
        "write the prefix length that was meant, or `everybody: true` at the top if it was")
    }
    for value in values {
      guard let text = value.name("ignoreip") else { continue }
      // fail2ban writes them in one value, with spaces or commas between.
      for word in text.split(whereSeparator: { $0 == " " || $0 == "," }) {
        switch IgnoreEntry.parse(String(word)) {
        case .success(.file(let path)):
          let file = IgnoreFile.read(path)
          for error in file.errors {
            if error.place.line == 0 {
              value.fail("\(quoted(path)) \(error.message)", error.remedy)
            } else {
              problems.add(error)
            }
          }
          entries.append(.file(path))
          let listed = file.entries.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
          add(listed, path, to: value)
        case .success(let entry):
          entries.append(entry)
          if case .subnet(let subnet) = entry { add([subnet], String(word), to: value) }
        case .failure(let error): value.fail(error.message, error.remedy)
        }
      }
    }
    return entries
  }

  /// Nil inside the result: permanent.
  func bantime() -> SpanOrForever? {
    if let text = word, ["permanent", "forever"].contains(text) { return SpanOrForever(span: nil) }
    guard let span = signedSpan("bantime") else { return nil }
    guard span != .zero else {
      fail("`bantime` is 0", "write for example 1h, or permanent")
      return nil
    }
    return SpanOrForever(span: span < .zero ? nil : span)
  }

  /// Nil inside the result: kept permanently.
  func age(_ key: String) -> SpanOrForever? {
    if ["forever", "permanent"].contains(word) { return SpanOrForever(span: nil) }
    // Seconds, as elsewhere, are not what anybody means here.
    if let number = word, !number.isEmpty, number.allSatisfy(\.isNumber) {
      fail("\(quoted(key)) is \(number), without a unit", "\(number) of what? write \(number)d for days")
      return nil
    }
    return span(key).map { SpanOrForever(span: $0) }
  }

  /// fail2ban's words; `true` and `false` are `yes` and `no` in YAML.
  func usedns() -> Fail2banRules.DNS? {
    switch word {
    case "yes", "true": return .yes
    case "no", "false": return .no
    case "warn": return .warn
    case "raw": return .raw
    default:
      fail("`usedns` is \(typed)", "write no, warn, yes or raw")
      return nil
    }
  }
}

/// What may last permanently: nil.
struct SpanOrForever {
  var span: TimeSpan?
}
