internal import CCurl

/// How long a transfer may take, and whom it trusts.
public struct TransferOptions: Hashable, Sendable {
  /// Seconds until a connection is there, and until all is over.
  public var connectTimeout = 10
  public var timeout = 30
  /// A file of certificate authorities (PEM) in place of the system's.
  public var authority: String?
  /// `http://proxy:3128`; what the environment says is not asked.
  public var proxy: String?
  /// Bytes that an answer may have.
  public var limit = 64 << 10

  public init() {}
}

/// An HTTP request. Certificates are checked, redirects are not followed, unless `redirects` says how many.
public struct HTTPTransfer: Sendable {
  public var method: String
  public var url: String
  public var headers: [(name: String, value: String)] = []
  public var body: [UInt8]?
  public var options = TransferOptions()
  public var redirects = 0
  /// Connects to this Unix socket instead of the URL's host.
  public var unixSocket: String?

  public init(_ method: String, _ url: String, body: [UInt8]? = nil) {
    self.method = method
    self.url = url
    self.body = body
  }

  public struct Response: Sendable {
    public var status: Int
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  }
}

extension CurlSession {
  /// - Throws: when there is no whole answer; a status such as 500 is an answer.
  public mutating func perform(_ transfer: HTTPTransfer) throws(TransferError) -> HTTPTransfer.Response {
    // What was asked by https never goes to http, whatever a redirect says.
    let isSecure = transfer.url.lowercased().hasPrefix("https:")
    begin(transfer.options, protocols: isSecure ? "https" : "http,https")
    set(transfer.url, CURLOPT_URL)
    set(isSecure ? "https" : "http,https", CURLOPT_REDIR_PROTOCOLS_STR)
    if let socket = transfer.unixSocket { set(socket, CURLOPT_UNIX_SOCKET_PATH) }
    if transfer.redirects > 0 {
      set(1, CURLOPT_FOLLOWLOCATION)
      set(transfer.redirects, CURLOPT_MAXREDIRS)
    }
    // Every encoding that the library knows.
    set("", CURLOPT_ACCEPT_ENCODING)
    if transfer.method == "HEAD" { set(1, CURLOPT_NOBODY) }
    if let body = transfer.body { set(body: body) }
    set(transfer.method, CURLOPT_CUSTOMREQUEST)
    // No "Expect: 100-continue", for which many servers keep a client waiting.
    var lines = ["Expect:"]
    for (name, value) in transfer.headers { lines.append(value.isEmpty ? "\(name);" : "\(name): \(value)") }
    let exchange = Exchange(limit: transfer.options.limit)
    try run(exchange, list: lines, CURLOPT_HTTPHEADER)
    return HTTPTransfer.Response(status: exchange.status, headers: exchange.fields, body: exchange.received)
  }
}
