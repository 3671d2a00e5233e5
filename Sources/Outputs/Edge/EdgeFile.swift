internal import Model
internal import Settings
internal import System

/// A file of all bans that a web server includes, and the program that has it read again.
struct EdgeFile: Edge {
  let path: String
  let format: EdgeSettings.Format
  let reload: [String]

  func hold(_ bans: [Subnet]) throws(DeliveryError) -> String {
    let text = Array(bans.map { format.line($0) + "\n" }.joined().utf8)
    let held = counted(bans.count, "ban") + " in \(path)"
    if let old = try? SmallFile.read(path, limit: 256 << 20), old == text { return "\(held), as before" }
    // The server reads it as a user of its own.
    do { try SmallFile.replace(path, with: text, mode: 0o644) } catch { throw .unreachable("\(error)") }
    guard let program = reload.first else { return held }
    do {
      let result = try Program(path: program, arguments: Array(reload.dropFirst())).run(input: "", deadline: 60)
      guard result.status == 0 else {
        let said = printable(String((result.errors.isEmpty ? result.output : result.errors).suffix(300)).trimmed)
        // Written again the next time, so that it is reloaded again.
        try? SmallFile.remove(path)
        throw DeliveryError.unreachable("\(program) ended with \(result.status): \(said)")
      }
    } catch {
      throw error as? DeliveryError ?? .unreachable("\(error)")
    }
    return "\(held), \(program) ended with 0"
  }
}

extension EdgeSettings.Format {
  func line(_ ban: Subnet) -> String {
    switch self {
    // https://nginx.org/en/docs/http/ngx_http_geo_module.html
    case .nginx: "\(ban) 1;"
    // https://httpd.apache.org/docs/2.4/mod/mod_authz_core.html#require
    case .apache: "Require not ip \(ban)"
    case .plain: "\(ban)"
    }
  }
}
