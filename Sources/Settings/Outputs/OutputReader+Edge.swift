internal import Model

/// What `at` may be.
enum EdgeKind: String, CaseIterable { case nginx, apache, plain, haproxy, cloudflare }

extension OutputReader {
  // MARK: Reports

  func abuse() -> AbuseSettings? {
    guard let value = fields["service"] else {
      let names = AbuseSettings.Service.allCases.map(\.rawValue)
      missing("service", "write service: \(listed(names))")
      return nil
    }
    guard let service = value.choice("service", AbuseSettings.Service.self), checkOwners(service) else { return nil }
    var abuse = AbuseSettings(service: service)
    if service == .xarf {
      guard let way = mailWay() else { return nil }
      if !fields.has("from") { missing("from", "write the address that answers go to: from: abuse@example.org") }
      abuse.mail = MailSettings(to: [], from: fields["from"].flatMap { $0.mailAddress("from") }, way: way)
      abuse.mail?.transport = transport()
    } else {
      guard fields.has("key") else {
        missing("key", "write key: {file: /etc/bailiff/secrets/\(service.rawValue)}")
        return nil
      }
      guard let key = secret("key") else { return nil }
      abuse.key = key
    }
    if let items = fields["categories"]?.list("categories") {
      abuse.categories = items.compactMap { $0.integer("categories", 1...30) }
    }
    abuse.sender = fields["sender"].flatMap { $0.mailAddress("sender") }
    if service == .blocklistDe, !fields.has("sender") {
      missing("sender", "write the server's mail address as it is registered with blocklist.de")
    }
    abuse.url = serviceURL()
    abuse.transport = transport()
    return abuse
  }

  /// Keys of another service would have no effect.
  private func checkOwners(_ service: AbuseSettings.Service) -> Bool {
    let mail = ["server", "tls", "user", "password", "sendmail", "from"].map { ($0, AbuseSettings.Service.xarf) }
    var isRight = true
    for (key, owner) in mail + [("categories", .abuseipdb), ("sender", .blocklistDe)] where owner != service {
      guard let value = fields[key] else { continue }
      value.fail("\(quoted(key)) belongs to \(owner.rawValue)", "drop it")
      isRight = false
    }
    if service == .xarf, let key = fields["key"] {
      key.fail("`key` belongs to abuseipdb and blocklist_de", "drop it")
      isRight = false
    }
    return isRight
  }

  private func missing(_ key: String, _ remedy: String) {
    problems.add(fields.place, "output \(quoted(name)) has no \(quoted(key))", remedy: remedy)
  }

  /// A secret is sent there, so it is https unless it stays on this machine.
  private func serviceURL() -> String? {
    guard let value = fields["url"], let text = value.name("url") else { return nil }
    guard let url = WebURL(text), url.isSecure || url.isLocal else {
      value.fail("`url` is no URL of https", "drop it for the service's own")
      return nil
    }
    return text
  }

  // MARK: Edges

  func edge() -> EdgeSettings? {
    guard let value = fields["at"] else {
      missing("at", "write at: \(listed(EdgeKind.allCases.map(\.rawValue)))")
      return nil
    }
    guard let kind = value.choice("at", EdgeKind.self), checkOwners(kind) else { return nil }
    let way: EdgeSettings.Way? =
      switch kind {
      case .nginx: edgeFile(.nginx)
      case .apache: edgeFile(.apache)
      case .plain: edgeFile(.plain)
      case .haproxy: haproxy()
      case .cloudflare: cloudflare()
      }
    guard let way else { return nil }
    var edge = EdgeSettings(way)
    if let every = fields["every"]?.span("every") {
      if every > .hours(1) { fields["every"]!.fail("`every` is above an hour", "write for example 5s") }
      edge.every = every
    }
    return edge
  }

  /// Keys of another kind of edge would have no effect.
  private func checkOwners(_ kind: EdgeKind) -> Bool {
    let files: Set<EdgeKind> = [.nginx, .apache, .plain]
    let owners: [(String, Set<EdgeKind>)] = [
      ("path", files), ("reload", files), ("socket", [.haproxy]), ("acl", [.haproxy]), ("zone", [.cloudflare]),
      ("account", [.cloudflare]), ("token", [.cloudflare]), ("email", [.cloudflare]), ("url", [.cloudflare]),
      ("timeout", [.cloudflare]), ("ca", [.cloudflare]), ("proxy", [.cloudflare]),
    ]
    var isRight = true
    for (key, owner) in owners where !owner.contains(kind) {
      guard let value = fields[key] else { continue }
      value.fail(
        "\(quoted(key)) belongs to \(owner.map(\.rawValue).sorted().joined(separator: ", "))", "drop it, or change `at`"
      )
      isRight = false
    }
    return isRight
  }

  private func edgeFile(_ format: EdgeSettings.Format) -> EdgeSettings.Way? {
    guard let value = fields["path"] else {
      missing("path", "write path: /var/lib/bailiff/\(format.rawValue).bans")
      return nil
    }
    guard let path = value.path("path") else { return nil }
    checkDirectory(of: path, value)
    guard let words = fields["reload"]?.list("reload"), !words.isEmpty else {
      return .file(path: path, format: format, reload: [])
    }
    guard let program = words[0].path("reload") else { return nil }
    checkExecutable(program, words[0])
    return .file(path: path, format: format, reload: [program] + words.dropFirst().compactMap { $0.text("reload") })
  }

  private func haproxy() -> EdgeSettings.Way? {
    guard let socket = fields["socket"] else {
      missing("socket", "write socket: /run/haproxy/admin.sock")
      return nil
    }
    guard let acl = fields["acl"] else {
      missing("acl", "write acl: /etc/haproxy/bailiff.acl, as `acl banned src -f …` names it")
      return nil
    }
    guard let path = socket.path("socket"), let file = acl.path("acl") else { return nil }
    if path.utf8.count > 107 {
      socket.fail("`socket` has \(path.utf8.count) bytes", "a Unix socket's path has at most 107")
    }
    // It becomes a word of haproxy's command line.
    if file.contains(where: { $0.isWhitespace || ";\\#".contains($0) }) {
      acl.fail("`acl` holds a character that haproxy's socket cannot take", "use letters, digits and /._-")
    }
    return .haproxy(socket: path, acl: file)
  }

  private func cloudflare() -> EdgeSettings.Way? {
    guard fields.has("token") else {
      missing("token", "write token: {file: /etc/bailiff/secrets/cloudflare}")
      return nil
    }
    guard let token = secret("token") else { return nil }
    var scope = CloudflareSettings.Scope.user
    if let zone = fields["zone"] {
      scope = .zone(identifier("zone", zone))
      fields["account"]?.fail("both `zone` and `account` are given", "keep one of them")
    } else if let account = fields["account"] {
      scope = .account(identifier("account", account))
    }
    var cloudflare = CloudflareSettings(scope: scope, token: token)
    cloudflare.email = fields["email"].flatMap { $0.mailAddress("email") }
    cloudflare.url = serviceURL()
    cloudflare.transport = transport()
    return .cloudflare(cloudflare)
  }

  private func identifier(_ key: String, _ value: Value) -> String {
    let text = value.name(key) ?? ""
    let isHex = text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    if !isHex || text.utf8.count != 32 {
      value.fail(
        "\(quoted(key)) is \(quoted(text)), which is no ID", "copy it from the dashboard: 32 hexadecimal digits")
    }
    return text
  }
}
