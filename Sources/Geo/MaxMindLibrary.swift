internal import CMaxMindDB

/// libmaxminddb as this machine has it, loaded when it is first asked for.
// Unchecked: function pointers of a library that is never unloaded, written once.
@safe struct MaxMindLibrary: @unchecked Sendable {
  let functions: bailiff_mmdb

  private static let loaded: Result<MaxMindLibrary, GeoProblem> = {
    // Safe: pointers that the next call fills; one that stays NULL is reported and the struct is not used.
    var functions = bailiff_mmdb()
    // Safe: the name is read during the call; the answer is a static text or dlerror's, copied at once.
    guard let missing = unsafe bailiff_mmdb_load(&functions, "libmaxminddb.so.0") else {
      return .success(MaxMindLibrary(functions: functions))
    }
    let problem = unsafe String(cString: missing)
    return .failure(
      GeoProblem("libmaxminddb cannot be loaded (\(problem)); install it: apt install libmaxminddb0"))
  }()

  static func load() throws(GeoProblem) -> MaxMindLibrary { try loaded.get() }
}
