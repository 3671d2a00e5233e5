internal import CCurl

/// libcurl as this machine has it, loaded when it is first asked for.
// Unchecked: function pointers of a library that is never unloaded, written once.
@safe struct CurlLibrary: @unchecked Sendable {
  let functions: bailiff_curl

  /// Debian's libcurl4, or what git brings with it; both have the same interface (libcurl(3), "ABI").
  private static let names = ["libcurl.so.4", "libcurl-gnutls.so.4"]

  private static let loaded: Result<CurlLibrary, TransferError> = {
    var problem = ""
    for name in names {
      // Safe: pointers that the next call fills; one that stays NULL is reported and the struct is not used.
      var functions = bailiff_curl()
      // Safe: the name is read during the call; the answer is a static text or dlerror's, copied at once.
      guard let missing = unsafe bailiff_curl_load(&functions, name) else {
        return .success(CurlLibrary(functions: functions))
      }
      if problem.isEmpty { problem = unsafe String(cString: missing) }
    }
    return .failure(
      TransferError(.unavailable, "libcurl cannot be loaded (\(problem)); install it: apt install libcurl4"))
  }()

  static func load() throws(TransferError) -> CurlLibrary { try loaded.get() }
}
