internal import Filters
internal import Matching

/// fail2ban's tags become groups of a regular expression: `<HOST>` finds an address or a name, `<F-USER>…</F-USER>` captures
/// what stands between as `user`. What looks like a tag and is none (`<SECURITY_LOG>`) stays text, as it does in fail2ban.
///
/// See jail.conf(5), "FILTER FILES", in fail2ban's package.
enum TagExpansion {
  /// What goes wrong in an expression; the caller adds where it is.
  struct Failure: Error { var reason: String }

  private static let ip4 = "(?:::f{4,6}:)?(?P<ip4>(?:[0-9]{1,3}\\.){3}[0-9]{1,3})"
  private static let ip6 = "(?P<ip6>(?:[0-9A-Fa-f]{1,4}:{1,2}|:{2}){1,7}(?:[0-9A-Fa-f]{1,4}|(?<=:):))"
  private static let dns = "(?P<dns>[\\w.^-]*\\w)"
  private static let cidr = "(?P<cidr>[0-9]+)"
  private static let address = "\\[?(?:\(ip4)|\(ip6))\\]?"
  private static let host = "(?:\(address)|\(dns))"
  private static let subnet = "\\[?(?:\(ip4)|\(ip6))(?:/\(cidr))?\\]?"

  /// The groups that name who failed, in the order in which they are asked.
  static let identityGroups = ["fid", "ip4", "ip6", "dns"]

  /// `expression` with every tag replaced. With `usedns` at `no`, `<HOST>` finds addresses only.
  static func expand(_ expression: String, usedns: Fail2banRules.DNS) throws(Failure) -> String {
    let text = Array(expression.utf8)
    var out: [UInt8] = []
    out.reserveCapacity(text.count * 2)
    var open: Set<String> = []
    var skips = 0
    var at = 0
    while at < text.count {
      guard text[at] == UInt8(ascii: "<"), let end = tagEnd(text, from: at) else {
        out.append(text[at])
        at += 1
        continue
      }
      let tag = String(decoding: text[at + 1..<end], as: UTF8.self)
      at = end + 1
      if let fixed = replacement(of: tag, usedns: usedns) {
        out.append(contentsOf: fixed.utf8)
      } else if tag == "SKIPLINES" {
        // Whole lines, as few as will do; numbered, because a name stands only once in a pattern.
        out.append(contentsOf: "\\n(?P<skiplines\(skips)>(?:(?:.*\\n)*?))".utf8)
        skips += 1
      } else if tag.hasPrefix("F-") || tag.hasPrefix("/F-") {
        let closes = tag.hasPrefix("/")
        let name = String(tag.dropFirst(closes ? 3 : 2))
        guard !name.isEmpty, name.utf8.allSatisfy({ isTagNameByte($0) }) else {
          throw Failure(reason: "<\(tag)> is not a tag: names are written in capitals, as in <F-USER>…</F-USER>")
        }
        if closes {
          guard open.contains(name) else {
            throw Failure(reason: "</F-\(name)> closes a tag that was not opened before it")
          }
          out.append(UInt8(ascii: ")"))
        } else {
          open.insert(name)
          out.append(contentsOf: "(?P<\(groupName(name))>".utf8)
        }
      } else {
        out.append(UInt8(ascii: "<"))
        out.append(contentsOf: tag.utf8)
        out.append(UInt8(ascii: ">"))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The group that a tag's name represents: `USER` is `user`; `ID` and `PORT` have names of their own.
  static func groupName(_ tag: String) -> String {
    switch tag {
    case "ID": "fid"
    case "PORT": "fport"
    default: tag.lowercased()
    }
  }

  private static func replacement(of tag: String, usedns: Fail2banRules.DNS) -> String? {
    switch tag {
    case "HOST": usedns == .no ? address : host
    case "IP4", "F-IP4/": ip4
    case "IP6", "F-IP6/": ip6
    case "ADDR", "F-ADDR/": address
    case "CIDR", "F-CIDR/": cidr
    case "SUBNET", "F-SUBNET/": subnet
    case "DNS", "F-DNS/": dns
    case "F-ID/": "(?P<fid>\\S+)"
    case "F-PORT/": "(?P<fport>\\w+)"
    default: nil
    }
  }

  /// The index of the `>` of a tag that begins at `start`: letters, digits, `_` and `-`, with a slash at either end.
  private static func tagEnd(_ text: [UInt8], from start: Int) -> Int? {
    var at = start + 1
    if at < text.count, text[at] == UInt8(ascii: "/") { at += 1 }
    let name = at
    while at < text.count, isWordByte(text[at]) || text[at] == UInt8(ascii: "-") { at += 1 }
    guard at > name else { return nil }
    if at < text.count, text[at] == UInt8(ascii: "/") { at += 1 }
    return at < text.count && text[at] == UInt8(ascii: ">") ? at : nil
  }

  private static func isTagNameByte(_ byte: UInt8) -> Bool {
    isWordByte(byte) && !(byte >= 97 && byte <= 122) && byte < 128
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, 95: true
    default: false
    }
  }
}
