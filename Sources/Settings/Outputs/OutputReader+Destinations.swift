internal import Glibc
internal import Model
internal import System

extension OutputReader {
  func transport() -> TransportSettings {
    var transport = TransportSettings()
    if let value = fields["timeout"]?.span("timeout") {
      if value > .minutes(10) { fields["timeout"]!.fail("`timeout` is above 10 minutes", "write for example 30s") }
      transport.timeout = value
    }
    if let value = fields["ca"], let path = value.path("ca") {
      if let error = Self.readable(path) { value.fail(error, "name a file of certificates (PEM)") }
      transport.authority = path
    }
    if let value = fields["proxy"], let url = value.name("proxy") {
      if WebURL(url) == nil { value.fail("`proxy` is no URL", "write for example http://proxy.example.org:3128") }
      transport.proxy = url
    }
    return transport
  }

  private static func readable(_ path: String) -> String? {
    do {
      _ = try SmallFile.read(path)
      return nil
    } catch { return "\(error)" }
  }

  // MARK: Mail

  func mail() -> MailSettings? {
    let to = fields["to"]?.list("to")?.compactMap { $0.mailAddress("to") } ?? []
    if to.isEmpty, fields["to"]?.list("to")?.isEmpty ?? true {
      problems.add(fields.place, "output \(quoted(name)) has no `to`", remedy: "write to: admin@example.org")
    }
    let from = fields["from"].flatMap { $0.mailAddress("from") }
    guard let way = mailWay() else { return nil }
    var mail = MailSettings(to: to, from: from, way: way)
    mail.body = fields["body"].flatMap { template("body", $0) }
    mail.transport = transport()
    return mail
  }

  func mailWay() -> MailSettings.Way? {
    if let value = fields["sendmail"] {
      guard let path = value.path("sendmail") else { return nil }
      if fields.has("server") { value.fail("both `sendmail` and `server` are given", "keep one of them") }
      checkExecutable(path, value)
      return .sendmail(path)
    }
    guard let value = fields["server"], let text = value.name("server") else {
      problems.add(
        fields.place, "output \(quoted(name)) has neither `server` nor `sendmail`",
        remedy: "write server: smtp.example.org:587, or sendmail: /usr/sbin/sendmail")
      return nil
    }
    guard let (host, port) = Self.hostAndPort(text) else {
      value.fail("`server` is \(quoted(text))", "write a name and a port: smtp.example.org:587")
      return nil
    }
    let isLocal = ["localhost", "::1"].contains(host) || host.hasPrefix("127.")
    let usual: MailSettings.MailServer.Security = port == 465 ? .tls : isLocal ? .none : .starttls
    let security = fields["tls"]?.choice("tls", MailSettings.MailServer.Security.self) ?? usual
    let server = MailSettings.MailServer(
      host: host, port: port ?? (security == .tls ? 465 : isLocal ? 25 : 587), security: security,
      user: fields["user"]?.name("user"), password: secret("password"))
    if (server.user == nil) != !fields.has("password") {
      problems.add(fields.place, "`user` and `password` belong together", remedy: "give both, or none")
    }
    if security == .none, server.password != nil, !isLocal {
      (fields["tls"] ?? value).fail("the password would go to \(quoted(host)) in the clear", "write tls: starttls")
    }
    return .server(server)
  }

  /// `name`, `name:25`, `[::1]:25`; nil for anything else.
  static func hostAndPort(_ text: String) -> (host: String, port: Int?)? {
    var host = text[...]
    var rest = Substring()
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
      guard Address(host) != nil else { return nil }
    } else if let colon = text.firstIndex(of: ":") {
      (host, rest) = (text[..<colon], text[colon...])
    }
    let plain = host.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"): true
      default: false
      }
    }
    guard !host.isEmpty, plain, !host.hasPrefix("-"), host.utf8.count <= 253 else { return nil }
    guard !rest.isEmpty else { return (String(host), nil) }
    guard rest.hasPrefix(":"), let port = Int(rest.dropFirst()), (1...65535).contains(port) else { return nil }
    return (String(host), port)
  }

  // MARK: Programs and files

  func program() -> ProgramSettings? {
    guard let value = fields["command"], let words = value.list("command"), !words.isEmpty else {
      problems.add(
        fields.place, "output \(quoted(name)) has no `command`",
        remedy: "write the program's path and its arguments: command: [/usr/local/bin/tell, --quiet]")
      return nil
    }
    guard let path = words[0].path("command") else { return nil }
    checkExecutable(path, words[0])
    var program = ProgramSettings(command: [path] + words.dropFirst().compactMap { $0.text("command") })
    if let timeout = fields["timeout"]?.span("timeout") { program.timeout = timeout }
    if let parallel = fields["parallel"]?.integer("parallel", 1...64) { program.parallel = parallel }
    return program
  }

  func checkExecutable(_ path: String, _ value: Value) {
    // Safe: access(2) reads the path during the call.
    guard unsafe access(path, X_OK) != 0 || (try? FileStatus.of(path: path))?.isDirectory == true else { return }
    value.fail(
      path.contains(" ") ? "\(quoted(path)) is no program" : "there is no program \(quoted(path)) that can be run",
      path.contains(" ") ? "write the arguments as a list: [/path, first, second]" : "install it, or chmod +x it")
  }

  func file() -> FileOutputSettings? {
    guard let value = fields["path"], let path = value.path("path") else {
      if !fields.has("path") {
        problems.add(
          fields.place, "output \(quoted(name)) has no `path`", remedy: "write path: /var/log/bailiff/bans.log")
      }
      return nil
    }
    checkDirectory(of: path, value)
    var file = FileOutputSettings(path: path)
    if let format = fields["format"]?.choice("format", OutputFormat.self) { file.format = format }
    return file
  }

  func checkDirectory(of path: String, _ value: Value) {
    let directory = Directory.parent(of: path) ?? "/"
    if (try? FileStatus.of(path: directory))?.isDirectory != true {
      value.fail("there is no directory \(quoted(directory))", "mkdir -p \(printable(directory))")
    } else if let status = try? FileStatus.of(path: path), !status.isRegular {
      value.fail("\(quoted(path)) is \(status.kind)", "name a file")
    }
  }

  // MARK: Syslog

  static let facilities = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
  ]

  func syslog() -> SyslogSettings? {
    var syslog = SyslogSettings()
    if let value = fields["server"], let text = value.name("server") {
      guard let server = Self.syslogServer(text) else {
        value.fail(
          "`server` is \(quoted(text))",
          "write a path such as /dev/log, or udp://host:514, tcp://host:601, tls://host:6514")
        return nil
      }
      syslog.server = server
    }
    if let format = fields["format"]?.choice("format", OutputFormat.self) { syslog.format = format }
    if let value = fields["facility"], let word = value.name("facility") {
      let names = Self.facilities + (0...7).map { "local\($0)" }
      if let number = Self.facilities.firstIndex(of: word) {
        syslog.facility = number
      } else if word.hasPrefix("local"), let number = Int(word.dropFirst(5)), (0...7).contains(number) {
        syslog.facility = 16 + number
      } else {
        value.fail(
          "`facility` is \(quoted(word))", suggestion(for: word, among: names, otherwise: "write \(listed(names))"))
      }
    }
    syslog.transport = transport()
    return syslog
  }

  private static func syslogServer(_ text: String) -> SyslogSettings.Server? {
    if text.hasPrefix("/") { return text.utf8.count <= 107 ? .local(text) : nil }
    guard let separator = text.firstRange(of: "://"),
      let (host, port) = hostAndPort(String(text[separator.upperBound...]))
    else { return nil }
    switch text[..<separator.lowerBound] {
    case "udp": return .udp(host: host, port: port ?? 514)
    case "tcp": return .tcp(host: host, port: port ?? 601)
    case "tls": return .tls(host: host, port: port ?? 6514)
    default: return nil
    }
  }
}

extension Value {
  /// `name@host`, without a name before it. It becomes part of a mail's header and envelope.
  func mailAddress(_ key: String) -> String? {
    guard let text = name(key) else { return nil }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>,;:\"\\()[]".utf8.contains($0) }
    guard parts.count == 2, isPlain, parts.allSatisfy({ !$0.isEmpty }), text.utf8.count <= 254, !text.hasPrefix("-")
    else {
      fail("\(quoted(key)) is \(quoted(text)), which is no mail address", "write for example admin@example.org")
      return nil
    }
    return text
  }
}
