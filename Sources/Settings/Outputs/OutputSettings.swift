public import Filters
public import Model

/// Who is told of what: one entry of `outputs`.
public struct OutputSettings: Sendable, Equatable {
  public var name: String
  public var place: Place
  public var enabled = true
  /// What it is told of.
  public var kinds: Set<Kind> = []
  /// Of which jails; empty: all, and what is about no jail.
  public var jails: Set<String> = []
  /// Nothing that is less grave.
  public var severity = Severity.info
  /// At most so many messages; what comes beyond waits, and comes in one message later.
  public var rate: Rate?
  /// Collects for so long from the first event on, and tells all of it in one message.
  public var digest: TimeSpan?
  public var quiet: QuietHours?
  /// What could not be delivered for so long is dropped, and counted.
  public var keep = TimeSpan.hours(24)
  /// One event as a line of text, and a message's title; nil: the usual one.
  public var text: MessageTemplate?
  public var title: MessageTemplate?
  public var destination: Destination

  /// For comparing with settings in which it is written at another line.
  public var withoutPlace: OutputSettings {
    var copy = self
    copy.place = Place(file: "", line: 0, column: 0)
    return copy
  }

  public init(name: String, place: Place = Place(file: "", line: 0, column: 0), destination: Destination) {
    self.name = name
    self.place = place
    self.destination = destination
  }

  public enum Kind: String, Sendable, CaseIterable {
    case failure, ban, unban
    /// What people did: commands, bans and unbans by hand, reloads.
    case `operator`
    /// What was noticed about those who come in.
    case alert
    /// What became of the daemon's own parts: a source that failed, a full disk, a repaired firewall.
    case health
  }

  /// How much it matters, the least first.
  public enum Severity: String, Sendable, CaseIterable, Comparable {
    case info, notice, warning, critical

    public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self)! }
  }

  public enum Destination: Sendable, Equatable {
    case webhook(WebhookSettings)
    case mail(MailSettings)
    case program(ProgramSettings)
    case file(FileOutputSettings)
    case syslog(SyslogSettings)
    case abuse(AbuseSettings)
    case edge(EdgeSettings)

    /// As `type` names it.
    public var type: String {
      switch self {
      case .webhook: "webhook"
      case .mail: "mail"
      case .program: "program"
      case .file: "file"
      case .syslog: "syslog"
      case .abuse: "abuse"
      case .edge: "edge"
      }
    }
  }
}

/// How events are written into a file or to syslog.
public enum OutputFormat: String, Sendable, CaseIterable {
  /// An object a line, as `bailiff audit --json` has them.
  case json
  /// As fail2ban.log has them, for what parses that.
  case fail2ban
  /// `text`, a line for each event.
  case text
}

public struct WebhookSettings: Sendable, Equatable {
  public enum Preset: String, Sendable, CaseIterable {
    case json, slack, discord, telegram, ntfy, gotify, matrix, pagerduty
  }

  public var preset = Preset.json
  public var url: Secret
  public var method = "POST"
  public var headers: [Header] = []
  /// In place of the preset's.
  public var body: MessageTemplate?
  public var contentType = "application/json"
  /// What the service knows this sender by.
  public var token: Secret?
  /// Telegram's chat or Matrix's room.
  public var recipient: String?
  public var transport = TransportSettings()

  public init(url: Secret) { self.url = url }

  public struct Header: Sendable, Equatable {
    public var name: String
    public var value: Secret

    public init(name: String, value: Secret) {
      self.name = name
      self.value = value
    }
  }
}

/// How a connection is made.
public struct TransportSettings: Sendable, Equatable {
  /// Until the answer is whole.
  public var timeout = TimeSpan.seconds(30)
  /// A file of certificate authorities in place of the system's.
  public var authority: String?
  public var proxy: String?

  public init() {}
}

public struct MailSettings: Sendable, Equatable {
  public enum Way: Sendable, Equatable {
    case server(MailServer)
    /// A program as sendmail(8): its path.
    case sendmail(String)
  }

  public struct MailServer: Sendable, Equatable {
    public enum Security: String, Sendable, CaseIterable { case tls, starttls, none }

    public var host: String
    public var port: Int
    public var security: Security
    public var user: String?
    public var password: Secret?

    public init(host: String, port: Int, security: Security, user: String? = nil, password: Secret? = nil) {
      self.host = host
      self.port = port
      self.security = security
      self.user = user
      self.password = password
    }
  }

  public var to: [String]
  /// Nil: `bailiff@` this machine's name.
  public var from: String?
  public var way: Way
  public var body: MessageTemplate?
  public var transport = TransportSettings()

  public init(to: [String], from: String? = nil, way: Way) {
    self.to = to
    self.from = from
    self.way = way
  }
}

public struct ProgramSettings: Sendable, Equatable {
  /// The program's path, then its arguments as they are.
  public var command: [String]
  public var timeout = TimeSpan.seconds(30)
  /// How many may run at once.
  public var parallel = 1

  public init(command: [String]) { self.command = command }
}

public struct FileOutputSettings: Sendable, Equatable {
  public var path: String
  public var format = OutputFormat.json

  public init(path: String) { self.path = path }
}

public struct SyslogSettings: Sendable, Equatable {
  public enum Server: Sendable, Equatable {
    /// A Unix datagram socket.
    case local(String)
    case udp(host: String, port: Int)
    case tcp(host: String, port: Int)
    case tls(host: String, port: Int)
  }

  public var server = Server.local("/dev/log")
  public var format = OutputFormat.json
  /// As in syslog(3): `auth` is 4.
  public var facility = 4
  public var transport = TransportSettings()

  public init() {}
}

/// Who collects reports of abuse.
public struct AbuseSettings: Sendable, Equatable {
  public enum Service: String, Sendable, CaseIterable {
    case abuseipdb
    case blocklistDe = "blocklist_de"
    /// A mail to the abuse contact of the network, in X-ARF.
    case xarf
  }

  public var service: Service
  /// What the service knows this sender by; nil for `xarf`.
  public var key: Secret?
  /// Of `xarf`: how its mails go.
  public var mail: MailSettings?
  /// Of AbuseIPDB: what kinds of abuse it is, by its own numbers.
  public var categories = [18]
  /// Of blocklist.de: the server's mail address, as it is registered there.
  public var sender: String?
  /// In place of the service's own.
  public var url: String?
  public var transport = TransportSettings()

  public init(service: Service, key: Secret? = nil) {
    self.service = service
    self.key = key
  }
}

/// Whoever stands before this machine and is to refuse those who are banned.
public struct EdgeSettings: Sendable, Equatable {
  public enum Way: Sendable, Equatable {
    /// A file of the bans in force, and what has it read again.
    case file(path: String, format: Format, reload: [String])
    /// The list of addresses that haproxy loaded from `acl`, by its runtime socket; the file is kept, too.
    case haproxy(socket: String, acl: String)
    case cloudflare(CloudflareSettings)
  }

  public enum Format: String, Sendable, CaseIterable { case nginx, apache, plain }

  public var way: Way
  /// What comes within this time goes together.
  public var every = TimeSpan.seconds(5)

  public init(_ way: Way) { self.way = way }
}

/// Cloudflare's IP Access rules.
public struct CloudflareSettings: Sendable, Equatable {
  /// Where they hold.
  public enum Scope: Sendable, Equatable {
    case zone(String)
    case account(String)
    /// All zones of the user whose token it is.
    case user
  }

  public var scope: Scope
  public var token: Secret
  /// With an address the token is a global API key.
  public var email: String?
  /// In place of Cloudflare's own.
  public var url: String?
  public var transport = TransportSettings()

  public init(scope: Scope, token: Secret) {
    self.scope = scope
    self.token = token
  }
}

extension OutputSettings {
  /// Is a secret written into the settings themselves? The URL of a service that knows its sender by it alone is one.
  var holdsSecretText: Bool {
    func isText(_ secret: Secret?) -> Bool { if case .text = secret { true } else { false } }
    switch destination {
    case .webhook(let webhook):
      let isKeyed = [.slack, .discord].contains(webhook.preset)
      return isText(webhook.token) || isKeyed && isText(webhook.url) || webhook.headers.contains { isText($0.value) }
    case .mail(let mail):
      guard case .server(let server) = mail.way else { return false }
      return isText(server.password)
    case .abuse(let abuse):
      guard case .server(let server)? = abuse.mail?.way else { return isText(abuse.key) }
      return isText(server.password)
    case .edge(let edge):
      guard case .cloudflare(let cloudflare) = edge.way else { return false }
      return isText(cloudflare.token)
    case .program, .file, .syslog: return false
    }
  }
}
