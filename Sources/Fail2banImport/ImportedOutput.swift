/// An entry of `outputs` in place of an action that tells somebody.
struct ImportedOutput: Equatable {
  /// What it is called after; made unique when all are known.
  var name: String
  /// Keys and values, as YAML.
  var keys: [(key: String, value: String)]
  /// Of which jails.
  var jails: [String] = []
  /// Where it says less, or other, than the action did.
  var remark: String?

  static func == (a: ImportedOutput, b: ImportedOutput) -> Bool {
    a.name == b.name && a.keys.map(\.key) == b.keys.map(\.key) && a.keys.map(\.value) == b.keys.map(\.value)
  }

  /// The same action of several jails is one output.
  static func merged(_ outputs: [ImportedOutput]) -> [ImportedOutput] {
    var merged: [ImportedOutput] = []
    for output in outputs {
      if let index = merged.firstIndex(of: output) {
        merged[index].jails += output.jails.filter { !merged[index].jails.contains($0) }
      } else {
        merged.append(output)
      }
    }
    var taken: Set<String> = []
    for index in merged.indices {
      let name = merged[index].name
      var number = 1
      while !taken.insert(merged[index].name).inserted {
        number += 1
        merged[index].name = "\(name)-\(number)"
      }
    }
    return merged
  }
}

/// Finds out what an action of fail2ban's tells whom.
struct ActionOutput {
  let action: String
  let jail: String
  /// An option of the action, with those that it refers to filled in.
  let option: (String) -> String?

  /// Nil for one that tells nobody, or in a way that is not known.
  var output: ImportedOutput? {
    if action.hasPrefix("mail") || action.hasPrefix("sendmail") { return mail }
    switch action {
    case "smtp.py", "smtp": return smtp
    case "abuseipdb": return abuseIPDB
    case "blocklist_de": return blocklistDe
    case "complain", "xarf-login-attack": return xarf
    case "cloudflare", "cloudflare-token": return cloudflare
    default: return webhook
    }
  }

  private func value(_ name: String) -> String? { option(name).flatMap { $0.isEmpty ? nil : $0 } }

  private func output(_ keys: [(String, String)], remark: String? = nil) -> ImportedOutput {
    let name = action.hasSuffix(".py") ? String(action.dropLast(3)) : action
    return ImportedOutput(name: name, keys: keys.map { ($0, $1) }, jails: [jail], remark: remark)
  }

  // MARK: Mail

  private var mail: ImportedOutput? {
    guard let dest = value("dest") else { return nil }
    var keys = [("type", "mail"), ("to", Self.addresses(dest)), ("sendmail", "/usr/sbin/sendmail")]
    if let sender = value("sender"), sender.contains("@"), !sender.contains("<") {
      keys.append(("from", YAMLText.scalar(sender)))
    }
    keys.append(("kinds", "[ban]"))
    if action.contains("buffered") { keys.append(("digest", "1h")) }
    let remark =
      action.contains("-whois") || action.contains("-lines") || action.contains("matches") || action.contains("geoip")
      ? "its mails have no whois record and no lines; `bailiff explain` has the lines" : nil
    return output(keys, remark: remark)
  }

  private var smtp: ImportedOutput? {
    guard let dest = value("dest") else { return nil }
    let host = value("host") ?? "localhost"
    var keys = [("type", "mail"), ("to", Self.addresses(dest)), ("server", YAMLText.scalar(host))]
    if let sender = value("sender"), sender.contains("@"), !sender.contains("<") {
      keys.append(("from", YAMLText.scalar(sender)))
    }
    if let user = value("user"), let password = value("password") {
      keys += [("user", YAMLText.scalar(user)), ("password", YAMLText.scalar(password))]
    }
    if ["1", "true", "yes"].contains((value("ssl") ?? "").lowercased()) { keys.append(("tls", "starttls")) }
    keys.append(("kinds", "[ban]"))
    return output(keys)
  }

  /// `root` is somebody on this machine.
  private static func addresses(_ text: String) -> String {
    let all = text.split { $0 == "," || $0 == " " }.map { $0.contains("@") ? String($0) : "\($0)@localhost" }
    return YAMLText.list(all)
  }

  // MARK: Reports and edges

  private var abuseIPDB: ImportedOutput? {
    guard let key = value("abuseipdb_apikey") else { return nil }
    var keys = [("type", "abuse"), ("service", "abuseipdb"), ("key", YAMLText.scalar(key))]
    let categories = (value("abuseipdb_category") ?? "").split { $0 == "," || $0 == " " }.compactMap { Int($0) }
    if !categories.isEmpty { keys.append(("categories", "[\(categories.map(String.init).joined(separator: ", "))]")) }
    return output(keys, remark: "its reports have no lines of the log, which may hold users' names")
  }

  private var blocklistDe: ImportedOutput? {
    guard let key = value("apikey"), let sender = value("email"), sender.contains("@") else { return nil }
    return output(
      [
        ("type", "abuse"), ("service", "blocklist_de"), ("key", YAMLText.scalar(key)),
        ("sender", YAMLText.scalar(sender)),
      ], remark: "its reports have no lines of the log, which may hold users' names")
  }

  private var xarf: ImportedOutput? {
    var keys = [("type", "abuse"), ("service", "xarf"), ("sendmail", "/usr/sbin/sendmail")]
    let sender = value("sender").flatMap { $0.contains("@") && !$0.contains("<") ? $0 : nil }
    keys.append(("from", YAMLText.scalar(sender ?? "root@localhost")))
    return output(
      keys, remark: "its mails are X-ARF without lines of the log; set `from` to an address that reads answers")
  }

  private var cloudflare: ImportedOutput? {
    guard let token = value("cftoken") else { return nil }
    var keys = [("type", "edge"), ("at", "cloudflare"), ("token", YAMLText.scalar(token))]
    if action == "cloudflare-token" {
      guard let zone = value("cfzone") else { return nil }
      keys.append(("zone", YAMLText.scalar(zone)))
    } else {
      guard let user = value("cfuser") else { return nil }
      keys.append(("email", YAMLText.scalar(user)))
    }
    return output(keys)
  }

  // MARK: Webhooks

  /// An action of somebody's own that asks a service by its usual address.
  private var webhook: ImportedOutput? {
    guard let command = option("actionban") else { return nil }
    func url(_ prefix: String) -> String? {
      guard let start = command.firstRange(of: prefix)?.lowerBound else { return nil }
      let text = command[start...].prefix { !$0.isWhitespace && !"'\"`|;<>$&\\".contains($0) }
      return text.count > prefix.count ? String(text) : nil
    }
    func preset(_ name: String, _ keys: [(String, String)]) -> ImportedOutput {
      output(
        [("type", "webhook"), ("preset", name)] + keys.map { ($0, YAMLText.scalar($1)) } + [("kinds", "[ban]")],
        remark: "its messages have Bailiff's own words; `text` and `title` change them")
    }
    if let url = url("https://hooks.slack.com/services/") { return preset("slack", [("url", url)]) }
    for host in ["https://discord.com/api/webhooks/", "https://discordapp.com/api/webhooks/"] {
      if let url = url(host) { return preset("discord", [("url", url)]) }
    }
    if let url = url("https://ntfy.sh/") { return preset("ntfy", [("url", url)]) }
    if let url = url("https://api.telegram.org/bot"), let end = url.firstRange(of: "/sendMessage") {
      let token = String(url[..<end.lowerBound].dropFirst("https://api.telegram.org/bot".count))
      guard let chat = Self.parameter("chat_id", in: command), !token.isEmpty else { return nil }
      return preset("telegram", [("token", token), ("chat", chat)])
    }
    return nil
  }

  /// `chat_id=-100123`, `"chat_id": "-100123"`.
  private static func parameter(_ name: String, in text: String) -> String? {
    guard let found = text.firstRange(of: name) else { return nil }
    let rest = text[found.upperBound...].drop { "\"'= :\\".contains($0) }
    let value = rest.prefix { $0.isASCII && ($0.isNumber || $0.isLetter || "-_@".contains($0)) }
    return value.isEmpty ? nil : String(value)
  }
}
