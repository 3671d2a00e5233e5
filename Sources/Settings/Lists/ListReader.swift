internal import Filters
internal import Model

/// Reads one entry of `lists`.
struct ListReader {
  let name: String
  let fields: Fields
  let problems: Problems
  /// The databases of the settings.
  let geo: GeoSettings

  enum Private: String, CaseIterable {
    case refuse
    case leaveOut = "leave-out"
  }

  static func read(_ entry: Fields.Entry, jails: [String], geo: GeoSettings, problems: Problems) -> ListSettings? {
    if !SettingsReader.isName(entry.key) {
      problems.add(
        entry.place, "\(quoted(entry.key)) is no name for a list",
        remedy: "use up to 64 letters, digits, `-`, `_` and `.`")
    } else if jails.contains(entry.key) || entry.key == "operator" {
      problems.add(
        entry.place, "a jail has the name \(quoted(entry.key)), too",
        remedy: "the firewall knows both by it: rename one")
    }
    guard let fields = Fields(entry.value, entry.key, known: Keys.addressList.names) else { return nil }
    return ListReader(name: entry.key, fields: fields, problems: problems, geo: geo).list(entry.place)
  }

  private func list(_ place: Place) -> ListSettings? {
    guard let source = source(place) else { return nil }
    var list = ListSettings(name: name, place: place, source: source)
    if let value = fields["enabled"]?.bool("enabled") { list.enabled = value }
    if let value = fields["allow"]?.bool("allow") { list.allows = value }
    if let value = fields["rules_only"]?.bool("rules_only") { list.isForRules = value }
    if let value = fields["refresh"], let span = value.span("refresh") {
      if span < .minutes(1) {
        value.fail("`refresh` is \(value.typed)", "look once a minute at most: write 1m or more")
      }
      list.refresh = span
    }
    if let value = fields["private"]?.choice("private", Private.self) { list.leavesOutPrivate = value == .leaveOut }
    if let value = fields["block"]?.choice("block", JailSettings.Block.self) { list.block = value }
    if let value = fields["limit"]?.integer("limit", 1...2_000_000) { list.limit = value }
    for key in ["private", "block"] where list.allows {
      fields[key]?.fail("\(quoted(key)) is of no meaning for a list that allows", "drop it")
    }
    for key in ["allow", "block"] where list.isForRules {
      fields[key]?.fail("\(quoted(key)) is of no meaning for a list that rules alone use", "drop it")
    }
    return list
  }

  enum Kind: String, CaseIterable {
    case addresses, crowdsec
  }

  private func source(_ place: Place) -> ListSettings.Source? {
    if fields["type"]?.choice("type", Kind.self) == .crowdsec { return crowdSec(place) }
    fields["key"]?.fail("`key` is of no meaning without `type: crowdsec`", "drop it")
    if fields.has("countries") || fields.has("networks") { return places(place) }
    fields["database"]?.fail("`database` is of no meaning without `countries` or `networks`", "drop it")
    if let value = fields["path"] {
      fields["url"]?.fail("a list has `path` or `url`, not both", "make two lists of them")
      fields["authority"]?.fail("`authority` is of no meaning for a file", "drop it")
      return value.path("path").map { .path($0) }
    }
    guard let value = fields["url"] else {
      problems.add(
        place, "list \(quoted(name)) has neither `path` nor `url`, nor `countries` or `networks`",
        remedy: "write path: /etc/bailiff/lists/NAME.txt, or url: https://…")
      return nil
    }
    return url(value, "https://example.org/list.txt").map {
      .url($0, authority: fields["authority"]?.path("authority"))
    }
  }

  private func url(_ value: Value, _ example: String) -> String? {
    guard let text = value.name("url") else { return nil }
    guard let url = WebURL(text) else {
      value.fail("`url` is no URL of http or https", "write for example \(example)")
      return nil
    }
    if !url.isSecure, !url.isLocal {
      problems.warn(
        value.place, "`url` is http: whoever is on the way decides whom this machine blocks", remedy: "write https")
    }
    return text
  }

  private func crowdSec(_ place: Place) -> ListSettings.Source? {
    for key in ["path", "countries", "networks", "database", "allow", "rules_only", "private"] {
      fields[key]?.fail("\(quoted(key)) is of no meaning for CrowdSec's decisions", "drop it")
    }
    guard let value = fields["url"], let key = fields["key"] else {
      problems.add(
        place, "list \(quoted(name)) has no \(fields["url"] == nil ? "`url`" : "`key`") of CrowdSec's local API",
        remedy:
          "write url: http://127.0.0.1:8080 and key: {file: /etc/bailiff/secrets/crowdsec}, made by cscli bouncers add bailiff"
      )
      return nil
    }
    guard let text = url(value, "http://127.0.0.1:8080"), let secret = key.secret("key") else { return nil }
    return .crowdSec(url: text, key: secret, authority: fields["authority"]?.path("authority"))
  }

  private func places(_ place: Place) -> ListSettings.Source? {
    for key in ["path", "url", "authority"] {
      fields[key]?.fail("\(quoted(key)) is of no meaning beside `countries` and `networks`", "make two lists of them")
    }
    let countries = fields["countries"]?.countries("countries") ?? []
    let networks = fields["networks"]?.networks("networks") ?? []
    for key in ["countries", "networks"] where fields[key]?.list(key)?.isEmpty == true {
      fields[key]?.fail("\(quoted(key)) is empty", "name at least one, or drop it")
    }
    let own = fields["database"]?.path("database")
    return .places(
      geo.places(countries: countries, networks: networks, database: own, at: place, problems: problems))
  }
}
