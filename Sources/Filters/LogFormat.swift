/// How a log writes its lines. All but `text` give a line named fields, on which `where` puts its conditions.
public enum LogFormat: Sendable, Equatable {
  /// Lines that only patterns can tell apart.
  case text
  /// Web servers' access logs: common and combined, either with the virtual host in front, and with further quoted fields
  /// behind.
  case combined
  /// One JSON object a line. A field is named by its path: `request.headers.User-Agent`.
  case json
  /// `key=value key="two words"`.
  case logfmt
  /// Fields between separators, in double quotes where they must be (RFC 4180). A line of the log names the fields when
  /// `columns` does not.
  case separated(by: UInt8, columns: [String])
  /// The W3C extended log format, in which `#Fields:` lines name the fields (also Zeek's `#fields`); until one has been
  /// seen, `columns` are its fields.
  case w3c(columns: [String])
  /// HAProxy's `option httplog`, of which `option httpslog` is a longer form.
  case haproxy
  /// As the server's own settings write it.
  case server(ServerFormat)
  /// The named groups of a pattern that matches the whole line.
  case split(SplitFormat)

  /// For messages.
  public var name: String {
    switch self {
    case .text: "text"
    case .combined: "combined"
    case .json: "json"
    case .logfmt: "logfmt"
    case .separated(UInt8(ascii: "\t"), _): "tsv"
    case .separated(UInt8(ascii: " "), _): "spaces"
    case .separated: "csv"
    case .w3c: "w3c"
    case .haproxy: "haproxy"
    case .server(let format): format.kind.rawValue
    case .split: "split"
    }
  }
}

/// A format string of a web server's settings.
public struct ServerFormat: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// The text of `log_format`: `$remote_addr - $remote_user [$time_local] "$request" $status`.
    case nginx
    /// The text of `LogFormat`: `%h %l %u %t \"%r\" %>s`.
    case apache
  }

  public var kind: Kind
  public var text: String
  public var place: Place

  public init(kind: Kind, text: String, place: Place) {
    self.kind = kind
    self.text = text
    self.place = place
  }
}

public struct SplitFormat: Sendable, Equatable {
  public var pattern: String
  public var place: Place

  public init(pattern: String, place: Place) {
    self.pattern = pattern
    self.place = place
  }
}

/// What a field can be to a failure.
public enum FieldRole: String, Sendable, CaseIterable {
  case time, host, port, user, app, forwarded, method, path, status, agent, referer
  /// An address and a port in one, with a colon between them, also where IPv6 addresses have no brackets.
  case hostPort = "host_port"
}

/// A format and what its fields are.
public struct FieldFormat: Sendable, Equatable {
  public var format: LogFormat
  public var fields: FieldRoles

  public init(_ format: LogFormat = .text, fields: FieldRoles = FieldRoles()) {
    self.format = format
    self.fields = fields
  }
}

/// `fields:` of a filter: which of a line's fields is what. Where several are named, the first that is there.
public struct FieldRoles: Sendable, Equatable {
  public var names: [FieldRole: [String]]
  public var place: Place

  public init(names: [FieldRole: [String]] = [:], place: Place = Place(file: "", line: 0, column: 0)) {
    self.names = names
    self.place = place
  }
}
