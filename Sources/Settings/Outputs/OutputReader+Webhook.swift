internal import Model

extension OutputReader {
  func webhook() -> WebhookSettings? {
    let preset = fields["preset"]?.choice("preset", WebhookSettings.Preset.self) ?? .json
    var token = secret("token")
    if preset.needsToken, !fields.has("token") {
      problems.add(
        fields.place, "output \(quoted(name)) has no `token`, which \(preset.rawValue) wants",
        remedy: "write token: {file: /etc/bailiff/secrets/\(preset.rawValue)}")
      token = nil
    }
    guard let url = url(preset) else { return nil }
    var webhook = WebhookSettings(url: url)
    webhook.preset = preset
    webhook.token = token
    webhook.recipient = recipient(preset)
    webhook.headers = headers()
    webhook.transport = transport()
    readBody(&webhook)
    return webhook
  }

  private func url(_ preset: WebhookSettings.Preset) -> Secret? {
    guard let value = fields["url"] else {
      if let usual = preset.usualURL { return .text(usual) }
      problems.add(
        fields.place, "output \(quoted(name)) has no `url`", remedy: "write url: https://example.org/hook")
      return nil
    }
    guard let secret = value.secret("url") else { return nil }
    // A credential cannot be looked at from outside the service.
    guard let text = try? secret.read() else { return secret }
    guard let url = WebURL(text) else {
      value.fail("`url` is no URL of http or https", "write for example https://example.org/hook")
      return nil
    }
    if !url.isSecure, !url.isLocal {
      problems.warn(
        value.place, "`url` is http: what is sent to \(quoted(url.host)) can be read and changed on its way",
        remedy: "write https")
    }
    return secret
  }

  private func recipient(_ preset: WebhookSettings.Preset) -> String? {
    for (key, owner) in [("chat", WebhookSettings.Preset.telegram), ("room", .matrix)] {
      if owner == preset {
        guard let value = fields[key] else {
          problems.add(
            fields.place, "output \(quoted(name)) has no `\(key)`, which \(preset.rawValue) wants",
            remedy: key == "chat" ? "write chat: -1001234567890" : "write room: '!room:example.org'")
          continue
        }
        return value.name(key)
      } else if let value = fields[key] {
        value.fail("`\(key)` belongs to preset \(owner.rawValue)", "drop it, or write preset: \(owner.rawValue)")
      }
    }
    return nil
  }

  private func readBody(_ webhook: inout WebhookSettings) {
    if let value = fields["method"], let method = value.name("method") {
      if ["POST", "PUT", "PATCH", "GET"].contains(method) {
        webhook.method = method
      } else {
        value.fail("`method` is \(quoted(method))", "write POST, PUT, PATCH or GET")
      }
    }
    if let value = fields["content_type"]?.name("content_type") { webhook.contentType = value }
    webhook.body = fields["body"].flatMap { template("body", $0) }
    guard webhook.preset != .json else { return }
    for key in ["method", "content_type", "body"] {
      fields[key]?.fail(
        "`\(key)` and preset \(webhook.preset.rawValue) exclude each other",
        "set `text` and `title`, or drop `preset`")
    }
  }

  private func headers() -> [WebhookSettings.Header] {
    guard let value = fields["headers"], let keys = Fields(value, "headers") else { return [] }
    return keys.entries.compactMap { entry in
      let isToken = entry.key.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
      guard isToken, !entry.key.isEmpty else {
        problems.add(entry.place, "\(quoted(entry.key)) is no name of a header", remedy: "write for example X-Token")
        return nil
      }
      return entry.value.secret(entry.key).map { .init(name: entry.key, value: $0) }
    }
  }
}

extension WebhookSettings.Preset {
  fileprivate var needsToken: Bool {
    switch self {
    case .telegram, .gotify, .matrix, .pagerduty: true
    case .json, .slack, .discord, .ntfy: false
    }
  }

  /// Where the service is, unless somebody runs it himself.
  fileprivate var usualURL: String? {
    switch self {
    case .telegram: "https://api.telegram.org"
    case .pagerduty: "https://events.pagerduty.com/v2/enqueue"
    default: nil
    }
  }
}
