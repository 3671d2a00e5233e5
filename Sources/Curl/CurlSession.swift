internal import CCurl
internal import System

/// A handle of libcurl (libcurl-easy(3)): one transfer after the other; connections stay open in between and are used again.
///
/// ```swift
/// var session = try CurlSession()
/// let answer = try session.perform(HTTPTransfer("POST", "https://example.org/hook", body: Array("{}".utf8)))
/// print(answer.status)
/// ```
// Unchecked: libcurl allows a handle to go from thread to thread, and whoever owns this uses it alone.
@safe public struct CurlSession: ~Copyable, @unchecked Sendable {
  let library: CurlLibrary
  private let handle: UnsafeMutableRawPointer
  private let errorText: UnsafeMutablePointer<CChar>

  public init() throws(TransferError) {
    let loaded = try CurlLibrary.load()
    // Safe: a handle that is cleaned up in deinit, and memory that lives as long as it.
    guard let made = loaded.functions.`init`() else {
      throw TransferError(.unavailable, "libcurl has no memory for a transfer")
    }
    library = loaded
    unsafe handle = made
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    // Safe: made in init, used by nobody else.
    unsafe library.functions.cleanup(handle)
    unsafe errorText.deallocate()
  }

  // MARK: Options

  /// Forgets the last transfer's options, and sets those that hold for all.
  mutating func begin(_ options: TransferOptions, protocols: String) {
    // Safe: resets options, keeps connections (curl_easy_reset(3)).
    unsafe library.functions.reset(handle)
    // Safe: libcurl writes at most CURL_ERROR_SIZE bytes there.
    unsafe errorText[0] = 0
    unsafe set(pointer: errorText, CURLOPT_ERRORBUFFER)
    set(1, CURLOPT_NOSIGNAL)
    set(options.connectTimeout * 1000, CURLOPT_CONNECTTIMEOUT_MS)
    set(options.timeout * 1000, CURLOPT_TIMEOUT_MS)
    set(protocols, CURLOPT_PROTOCOLS_STR)
    set(1, CURLOPT_SSL_VERIFYPEER)
    set(2, CURLOPT_SSL_VERIFYHOST)
    set("bailiff", CURLOPT_USERAGENT)
    if let authority = options.authority { set(authority, CURLOPT_CAINFO) }
    // An empty text turns off what the environment says.
    set(options.proxy ?? "", CURLOPT_PROXY)
  }

  mutating func set(_ value: Int, _ option: CURLoption) {
    // Safe: an option that takes a long.
    unsafe withFunctions { _ = unsafe bailiff_curl_set_long($0, handle, option, value) }
  }

  mutating func set(_ value: String, _ option: CURLoption) {
    // Safe: libcurl copies the text (curl_easy_setopt(3)).
    unsafe withFunctions { _ = unsafe bailiff_curl_set_text($0, handle, option, value) }
  }

  mutating func set(body: [UInt8]) {
    // Safe: the size first, then the bytes, which COPYPOSTFIELDS copies.
    unsafe withFunctions { functions in
      _ = unsafe bailiff_curl_set_size(functions, handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
      var bytes = body + [0]
      _ = unsafe bytes.withUnsafeMutableBytes {
        unsafe bailiff_curl_set_pointer(functions, handle, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
      }
    }
  }

  @unsafe mutating func set(pointer: UnsafeMutableRawPointer?, _ option: CURLoption) {
    unsafe withFunctions { _ = unsafe bailiff_curl_set_pointer($0, handle, option, pointer) }
  }

  @unsafe mutating func set(callback: bailiff_curl_callback, _ option: CURLoption) {
    unsafe withFunctions { _ = unsafe bailiff_curl_set_callback($0, handle, option, callback) }
  }

  private func withFunctions(_ body: (UnsafePointer<bailiff_curl>) -> Void) {
    // Safe: the pointer lives for the call.
    var functions = library.functions
    unsafe withUnsafePointer(to: &functions) { unsafe body($0) }
  }

  // MARK: The transfer

  /// Runs what was set, with `exchange` as the place for what comes and goes and `list` as the header fields or recipients.
  mutating func run(_ exchange: Exchange, list: [String], _ option: CURLoption) throws(TransferError) {
    // Safe: `exchange` lives until the end of this function, beyond the last callback.
    let user = unsafe Unmanaged.passUnretained(exchange).toOpaque()
    unsafe set(pointer: user, CURLOPT_WRITEDATA)
    unsafe set(pointer: user, CURLOPT_HEADERDATA)
    unsafe set(pointer: user, CURLOPT_READDATA)
    unsafe set(callback: receiveBody, CURLOPT_WRITEFUNCTION)
    unsafe set(callback: receiveHeader, CURLOPT_HEADERFUNCTION)
    unsafe set(callback: giveBody, CURLOPT_READFUNCTION)
    // Safe: the list is libcurl's, copies the texts, and is freed after the transfer.
    var items: UnsafeMutablePointer<curl_slist>?
    for text in list { unsafe items = library.functions.append(items, text) ?? items }
    if unsafe items != nil { unsafe set(pointer: items, option) }
    let code = unsafe library.functions.perform(handle)
    unsafe set(pointer: nil, option)
    unsafe library.functions.free_all(items)
    withExtendedLifetime(exchange) {}
    exchange.status = responseCode
    guard code == CURLE_OK else { throw error(code, exchange) }
  }

  /// Writes to a connection that `run` has made and left open (curl_easy_send(3)).
  func write(_ bytes: [UInt8], seconds: Int) throws(TransferError) {
    let deadline = monotonicSeconds() + Double(seconds)
    var done = 0
    while done < bytes.count {
      var sent = 0
      // Safe: the array's own bytes, lent for the call.
      let code = unsafe bytes.withUnsafeBytes {
        unsafe library.functions.send(handle, $0.baseAddress! + done, $0.count - done, &sent)
      }
      done += sent
      if code == CURLE_AGAIN, monotonicSeconds() < deadline {
        // The socket's buffer is full.
        ServiceThread.sleep(seconds: 0.02)
      } else if code != CURLE_OK {
        throw TransferError(code == CURLE_AGAIN ? .timeout : .interrupted, "the receiver does not take what is sent")
      }
    }
  }

  private var responseCode: Int {
    var value = 0
    // Safe: libcurl writes one long.
    unsafe withFunctions { _ = unsafe bailiff_curl_get_long($0, handle, CURLINFO_RESPONSE_CODE, &value) }
    return value
  }

  private func error(_ code: CURLcode, _ exchange: Exchange) -> TransferError {
    // Safe: both are texts that end in NUL; libcurl's own lives as long as the library.
    var text = unsafe String(cString: errorText)
    if text.isEmpty { text = unsafe String(cString: library.functions.strerror(code)!) }
    text = printable(text)
    if exchange.isTooLong { return TransferError(.tooLarge, "the answer has more than \(exchange.limit) bytes") }
    let kind: TransferError.Kind =
      switch code {
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalid
      case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
      case CURLE_COULDNT_CONNECT: .connect
      case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_USE_SSL_FAILED, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR:
        .tls
      case CURLE_OPERATION_TIMEDOUT: .timeout
      case CURLE_LOGIN_DENIED: .refused(exchange.status == 0 ? 535 : exchange.status)
      case _ where exchange.status >= 400: .refused(exchange.status)
      default: .interrupted
      }
    return TransferError(kind, text)
  }
}

/// What comes and goes during one transfer; libcurl's callbacks have a pointer to it.
final class Exchange {
  let limit: Int
  var received: [UInt8] = []
  var isTooLong = false
  /// Of the last response, in lower case.
  var fields: [(name: String, value: String)] = []
  var status = 0
  private let outgoing: [UInt8]
  private var sent = 0

  init(limit: Int, outgoing: [UInt8] = []) {
    self.limit = limit
    self.outgoing = outgoing
  }

  /// False ends the transfer.
  fileprivate func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard received.count + bytes.count <= limit else {
      isTooLong = true
      return false
    }
    // Safe: copies what the caller lends.
    unsafe received.append(contentsOf: bytes)
    return true
  }

  fileprivate func take(header line: String) {
    // A status line begins another response, such as the one behind 100 Continue.
    if line.hasPrefix("HTTP/") { return fields.removeAll() }
    guard let colon = line.firstIndex(of: ":"), fields.count < 200 else { return }
    let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
    fields.append((line[..<colon].lowercased(), String(value[..<end])))
  }

  fileprivate func give(to buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, outgoing.count - sent)
    // Safe: at most the buffer's size.
    unsafe buffer.copyBytes(from: outgoing[sent..<sent + count])
    sent += count
    return count
  }
}

// Safe, all three: libcurl lends `size * count` bytes for the call (CURLOPT_WRITEFUNCTION(3)); `user` is the exchange that
// `run` keeps alive.

private let receiveBody: bailiff_curl_callback = { bytes, size, count, user in
  let exchange = unsafe Unmanaged<Exchange>.fromOpaque(user!).takeUnretainedValue()
  return unsafe exchange.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private let receiveHeader: bailiff_curl_callback = { bytes, size, count, user in
  let exchange = unsafe Unmanaged<Exchange>.fromOpaque(user!).takeUnretainedValue()
  let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
  unsafe exchange.take(header: String(decoding: line, as: UTF8.self))
  return size * count
}

private let giveBody: bailiff_curl_callback = { bytes, size, count, user in
  let exchange = unsafe Unmanaged<Exchange>.fromOpaque(user!).takeUnretainedValue()
  return unsafe exchange.give(to: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}
