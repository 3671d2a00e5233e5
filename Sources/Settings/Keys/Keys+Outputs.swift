extension Keys {
  static let secret: Key.Kind = .either([.text, .map(secretSource)])

  static let secretSource: [Key] = [
    Key("file", .text, "A file that only root can read, with the secret in one line."),
    Key("credential", .text, "What LoadCredential= of the service calls it."),
  ]

  static let compat: [Key] = [
    Key("fail2ban", .text, "The socket on which fail2ban's client is answered: /run/fail2ban/fail2ban.sock."),
    Key("crowdsec", .map(crowdSec), "CrowdSec's local API, for its bouncers."),
    Key("check", .map(listener), "May a client come in? For proxies' forward auth."),
    Key("prometheus", .map(listener), "Figures for Prometheus, at /metrics."),
  ]

  static let api: [Key] = [
    Key("listen", .text, "An address and a port: 127.0.0.1:8787."),
    Key("hosts", .list(.text), "Names by which clients may call it, besides localhost and addresses."),
    Key("trusted_proxies", .list(.text), "Proxies, by address or block: the client is whom they spoke for."),
    Key("jail", .text, "The jail that counts clients whose token is wrong."),
  ]

  static let failures: [Key] = [
    Key("socket", .text, "A datagram socket that everybody may write to: /run/bailiff/failures.sock."),
    Key("allow", .named(.list(.text)), "By user, or by group as '@www-data', the jails that it may report for."),
  ]

  static let crowdSec: [Key] = [
    Key("listen", .text, "127.0.0.1:8080, unless it says otherwise."),
    Key("keys", .named(secret), "By name, what each bouncer has as its api_key.", isSecret: true),
  ]

  static let listener: [Key] = [
    Key("listen", .text, "An address and a port: 127.0.0.1:8788 for check, :8789 for prometheus.")
  ]

  /// An entry of `outputs`, whatever its type.
  static let output = merged([anyOutput, webhook, mail, program, fileOutput, syslog, abuse, edge])

  private static func merged(_ tables: [[Key]]) -> [Key] {
    var names: Set<String> = []
    return tables.joined().filter { names.insert($0.name).inserted }
  }

  static let anyOutput: [Key] = [
    Key("type", words(OutputReader.Kind.self), "How it is told."),
    Key("enabled", .bool, "A disabled output is checked, and told nothing."),
    Key("kinds", .list(words(OutputSettings.Kind.self)), "What it is told of."),
    Key("jails", .list(.text), "Of which jails; without it of all."),
    Key("severity", words(OutputSettings.Severity.self), "Nothing that is less grave."),
    Key("rate", .text, "At most so many messages, 20/1h; what is more comes later in one message."),
    Key("digest", .time, "Collects for so long, and tells it in one message."),
    Key("quiet", .map(quiet), "Hours of the day in which nothing is sent."),
    Key("keep", .time, "What could not be delivered for so long is dropped, and counted."),
    Key("text", .text, "A line about one event: '{id} is banned in {jail}'."),
    Key("title", .text, "The title of a message about one event."),
  ]

  static let quiet: [Key] = [
    Key("from", .text, "22:00, by this machine's clock."),
    Key("to", .text, "07:00; what has waited comes then."),
    Key("except", words(OutputSettings.Severity.self), "What is at least as grave comes at once."),
  ]

  private static let transport: [Key] = [
    Key("timeout", .time, "How long an answer may take."),
    Key("ca", .text, "A file of certificate authorities in place of the system's."),
    Key("proxy", .text, "http://proxy.example.org:3128"),
  ]

  static let webhook: [Key] =
    [
      Key("preset", words(WebhookSettings.Preset.self), "Whose webhook it is."),
      Key("url", secret, "Where to; of ntfy with the topic, of Gotify and Matrix the server.", isSecret: true),
      Key("token", secret, "Of Telegram, ntfy, Gotify, Matrix, PagerDuty.", isSecret: true),
      Key("chat", .text, "Telegram's chat."),
      Key("room", .text, "Matrix's room: !room:example.org."),
      Key("method", .word(["POST", "PUT", "PATCH", "GET"]), "Without a preset."),
      Key("headers", .named(secret), "Further header fields.", isSecret: true),
      Key("body", .text, "What is sent, in place of JSON: '{\"text\": \"{text}\"}'."),
      Key("content_type", .text, "Of the body; names are escaped for JSON where it is application/json."),
    ] + transport

  static let mail: [Key] =
    [
      Key("to", .list(.text), "Who gets it."),
      Key("from", .text, "bailiff@ this machine's name, unless it says otherwise."),
      Key("server", .text, "smtp.example.org:587"),
      Key("tls", words(MailSettings.MailServer.Security.self), "starttls sends nothing in the clear."),
      Key("user", .text, "Who logs in."),
      Key("password", secret, "Its password.", isSecret: true),
      Key("sendmail", .text, "A program in place of a server: /usr/sbin/sendmail."),
      Key("body", .text, "The text, with {text} for a line an event."),
    ] + transport

  static let program: [Key] = [
    Key("command", .list(.text), "The program's path and its arguments; never a shell."),
    Key("timeout", .time, "After this it is killed."),
    Key("parallel", .integer(1...64), "How many may run at once."),
  ]

  static let fileOutput: [Key] = [
    Key("path", .text, "A line for each event is added to it; it may be rotated at any time."),
    Key("format", words(OutputFormat.self), "json, fail2ban (as in fail2ban.log), or text."),
  ]

  static let syslog: [Key] =
    [
      Key("server", .text, "/dev/log, udp://host:514, tcp://host:601, tls://host:6514"),
      Key("format", words(OutputFormat.self), "json, fail2ban (as in fail2ban.log), or text."),
      Key("facility", .word(OutputReader.facilities + (0...7).map { "local\($0)" }), "auth, unless it says otherwise."),
    ] + transport

  static let abuse: [Key] =
    [
      Key("service", words(AbuseSettings.Service.self), "Who collects the reports."),
      Key("key", secret, "The API key that the service gave you.", isSecret: true),
      Key("categories", .list(.integer(1...30)), "Of AbuseIPDB: 18 is brute force, 22 SSH, 21 web applications."),
      Key("sender", .text, "Of blocklist.de: the server's mail address as it is registered there."),
      Key("from", .text, "Of xarf: the address that answers go to."),
      Key("server", .text, "Of xarf: smtp.example.org:587"),
      Key("tls", words(MailSettings.MailServer.Security.self), "Of xarf: starttls sends nothing in the clear."),
      Key("user", .text, "Of xarf: who logs in."),
      Key("password", secret, "Of xarf: its password.", isSecret: true),
      Key("sendmail", .text, "Of xarf: a program in place of a server."),
      Key("url", .text, "In place of the service's own."),
    ] + transport

  static let edge: [Key] =
    [
      Key("at", .word(EdgeKind.allCases.map(\.rawValue)), "What is told who is banned."),
      Key("path", .text, "Of nginx, apache and plain: the file of bans."),
      Key("reload", .list(.text), "Of the same: a program and its arguments that has it read again; never a shell."),
      Key("socket", .text, "Of haproxy: its runtime socket, level admin."),
      Key("acl", .text, "Of haproxy: the file of the ACL, as haproxy's configuration names it."),
      Key("zone", .text, "Of cloudflare: the zone's ID; without zone and account all zones of the token's user."),
      Key("account", .text, "Of cloudflare: the account's ID."),
      Key("token", secret, "Of cloudflare: an API token, or with email a global API key.", isSecret: true),
      Key("email", .text, "Of cloudflare, with a global API key: whose it is."),
      Key("url", .text, "Of cloudflare: in place of its own."),
      Key("every", .time, "What comes within this time goes together: 5s."),
    ] + transport
}
