internal import CCurl

extension CurlSession {
  /// Sends bytes over a connection of TCP, or of TLS, that nothing else is spoken on. Returns when the kernel has taken them.
  public mutating func send(
    _ bytes: [UInt8], toHost host: String, port: Int, isTLS: Bool, options: TransferOptions
  ) throws(TransferError) {
    begin(options, protocols: isTLS ? "https" : "http")
    let name = host.contains(":") ? "[\(host)]" : host
    set("\(isTLS ? "https" : "http")://\(name):\(port)/", CURLOPT_URL)
    // The connection is made, with TLS where the URL says so, and left to us (CURLOPT_CONNECT_ONLY(3)).
    set(1, CURLOPT_CONNECT_ONLY)
    // No other protocol is offered in the TLS handshake.
    set(0, CURLOPT_SSL_ENABLE_ALPN)
    try run(Exchange(limit: 0), list: [], CURLOPT_HTTPHEADER)
    try write(bytes, seconds: options.timeout)
  }
}
