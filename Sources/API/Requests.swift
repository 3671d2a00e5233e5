internal import JSON
public import Model

/// Which bans to list.
public struct BansRequest: Hashable, Sendable {
  /// Nil: every jail's.
  public var jail: String?

  public init(jail: String? = nil) { self.jail = jail }
}

/// Ban an id now, whatever its windows say.
public struct BanRequest: Hashable, Sendable, Codable {
  /// An address, a block, or a name where a jail counts names.
  public var id: String
  /// Nil: the ban belongs to no jail's limit and blocks every port.
  public var jail: String?
  /// Seconds; nil: the jail's bantime; negative: permanent.
  public var bantime: Int64?
  /// Ban although it is wide, ignored, or the operator's own way in.
  public var force: Bool
  /// Seconds after which the ban lifts itself unless it is confirmed.
  public var confirm: Int64?

  public init(id: String, jail: String? = nil, bantime: Int64? = nil, force: Bool = false, confirm: Int64? = nil) {
    self.id = id
    self.jail = jail
    self.bantime = bantime
    self.force = force
    self.confirm = confirm
  }

  public var identity: Identity { Identity(id) }

  /// What the audit writes down.
  public var command: String {
    var text = "ban \(id)"
    if let jail { text += " --jail \(jail)" }
    if let bantime { text += bantime < 0 ? " --for permanent" : " --for \(bantime)s" }
    if force { text += " --force" }
    if let confirm { text += " --confirm \(confirm)s" }
    return text
  }
}

/// Lift the bans of one id or several.
public struct UnbanRequest: Hashable, Sendable, Codable {
  public var id: String?
  public var ids: [String]?
  /// Nil: in every jail.
  public var jail: String?
  /// A block itself alone, not what is within it.
  public var exact: Bool?

  public init(id: String, jail: String? = nil, exact: Bool? = nil) {
    self.id = id
    self.jail = jail
    self.exact = exact
  }

  public init(ids: [String], jail: String? = nil, exact: Bool? = nil) {
    self.ids = ids
    self.jail = jail
    self.exact = exact
  }

  /// As they were typed.
  public var all: [String] { (id.map { [$0] } ?? []) + (ids ?? []) }

  /// What the audit writes down; of very many ids the first.
  public var command: String {
    let named = all.prefix(10).joined(separator: " ") + (all.count > 10 ? " and \(all.count - 10) more" : "")
    return "unban \(named)" + (jail.map { " --jail \($0)" } ?? "") + (exact == true ? " --exact" : "")
  }
}

/// Lift every ban, or every ban of a jail.
public struct UnbanAllRequest: Hashable, Sendable, Codable {
  public var jail: String?

  public init(jail: String? = nil) { self.jail = jail }

  public var command: String { "unban --all" + (jail.map { " --jail \($0)" } ?? "") }
}

/// Keep a ban that was made with `confirm`.
public struct ConfirmRequest: Hashable, Sendable, Codable {
  public var id: String

  public init(id: String) { self.id = id }

  public var identity: Identity { Identity(id) }

  public var command: String { "confirm \(id)" }
}

/// Read the settings again, or keep what was read.
public struct ReloadRequest: Hashable, Sendable, Codable {
  /// Seconds after which the settings before are in force again unless somebody confirms.
  public var confirm: Int64?
  /// Also where static rules lock out whoever is logged in.
  public var force: Bool?
  /// Nothing is read: settings that wait to be confirmed stay.
  public var keep: Bool?
  /// Nothing is changed: only what would be is answered.
  public var preview: Bool?
  /// The port that the operator's own session came in by; 22 unless told.
  public var port: Int?

  public init(
    confirm: Int64? = nil, force: Bool? = nil, keep: Bool? = nil, preview: Bool? = nil, port: Int? = nil
  ) {
    self.preview = preview
    self.confirm = confirm
    self.force = force
    self.keep = keep
    self.port = port
  }

  public var command: String {
    "reload" + (keep == true ? " --keep" : "") + (confirm.map { " --confirm \($0)s" } ?? "")
      + (force == true ? " --force" : "")
  }
}

/// What a program has seen itself: counted as a line in a log would be.
public struct FailureRequest: Hashable, Sendable, Codable {
  public var jail: String
  /// An address.
  public var id: String
  /// How many; nil: one.
  public var count: Int?
  /// Whom it was tried as.
  public var user: String?
  /// What the program says of it, for the audit.
  public var text: String?

  public init(jail: String, id: String, count: Int? = nil, user: String? = nil, text: String? = nil) {
    self.jail = jail
    self.id = id
    self.count = count
    self.user = user
    self.text = text
  }
}

/// A token for a program.
public struct TokenRequest: Hashable, Sendable, Codable {
  public var name: String
  public var role: Role
  /// Seconds; nil: it does not expire.
  public var expires: Int64?

  public init(name: String, role: Role, expires: Int64? = nil) {
    self.name = name
    self.role = role
    self.expires = expires
  }
}

/// Make somebody who may log in to the dashboard, or give somebody another password, role or second factor.
public struct UserRequest: Hashable, Sendable, Codable {
  public var name: String
  /// Nil: the one before.
  public var password: String?
  /// Nil: the one before; of a new user `look`.
  public var role: Role?
  /// True: a new secret for one-time passwords is made and told; false: none are asked for any more; nil: as before.
  public var totp: Bool?

  public init(name: String, password: String? = nil, role: Role? = nil, totp: Bool? = nil) {
    self.name = name
    self.password = password
    self.role = role
    self.totp = totp
  }

  /// What the audit writes down.
  public var command: String {
    "user set \(name)" + (role.map { " --role \($0.rawValue)" } ?? "") + (password == nil ? "" : " (password)")
      + (totp.map { $0 ? " --totp" : " --no-totp" } ?? "")
  }
}

/// Take over a list that has lost most of its entries.
public struct ListRequest: Hashable, Sendable, Codable {
  public var name: String

  public init(name: String) { self.name = name }
}

/// Spare an address or a block, whatever jails and lists say.
public struct AllowRequest: Hashable, Sendable, Codable {
  public var id: String
  /// Seconds; nil: until it is taken back.
  public var time: Int64?
  public var why: String?

  public init(id: String, time: Int64? = nil, why: String? = nil) {
    self.id = id
    self.time = time
    self.why = why
  }

  public var command: String { "allow \(id)" + (time.map { " --for \($0)s" } ?? "") }
}

/// Take that back.
public struct DisallowRequest: Hashable, Sendable, Codable {
  public var id: String

  public init(id: String) { self.id = id }

  public var command: String { "disallow \(id)" }
}

/// Limits on what a request may hold, checked before any handler sees it.
public protocol CheckedRequest: Decodable, Sendable {
  func check() throws(RequestError)
}

extension CheckedRequest {
  /// A request's body: JSON, within its limits.
  public static func decode(_ body: some Sequence<UInt8>) throws(RequestError) -> Self {
    let request: Self
    do { request = try JSONInput.decode(Self.self, from: body) } catch {
      throw RequestError(.invalid, "malformed JSON: \(error)")
    }
    try request.check()
    return request
  }
}

private func check(id: String, jail: String?) throws(RequestError) {
  guard !id.isEmpty else { throw RequestError(.invalid, "the id is empty; give an address, a block or a name") }
  // An id ends up in the store and in terminals; fail2ban's longest `<F-ID>`s are session names of some 40 bytes.
  guard id.utf8.count <= 512 else { throw RequestError(.invalid, "the id is longer than 512 bytes") }
  guard jail.map({ !$0.isEmpty && $0.utf8.count <= 256 }) ?? true else {
    throw RequestError(.invalid, "the jail's name is empty or longer than 256 bytes")
  }
}

extension BanRequest: CheckedRequest {
  public func check() throws(RequestError) {
    try API.check(id: id, jail: jail)
    if bantime == 0 {
      throw RequestError(.invalid, "a ban of 0 seconds is none; leave the time out for the jail's own")
    }
    if let confirm, confirm <= 0 {
      throw RequestError(.invalid, "the time to confirm in must be at least 1 second")
    }
  }
}

extension FailureRequest: CheckedRequest {
  public func check() throws(RequestError) {
    try API.check(id: id, jail: jail)
    guard Address(id) != nil else {
      throw RequestError(.invalid, "`\(id)` is no address", remedy: "write 192.0.2.7 or 2001:db8::7")
    }
    guard (1...1000).contains(count ?? 1) else { throw RequestError(.invalid, "the count is not from 1 to 1000") }
    guard (user ?? "").utf8.count <= 256, (text ?? "").utf8.count <= 4096 else {
      throw RequestError(.invalid, "the user has more than 256 bytes, or the text more than 4096")
    }
  }
}

extension ReloadRequest: CheckedRequest {
  public func check() throws(RequestError) {
    guard confirm.map({ (1...86_400).contains($0) }) ?? true else {
      throw RequestError(.invalid, "the time to confirm in must be from 1 second to a day")
    }
    guard port.map({ (1...65_535).contains($0) }) ?? true else { throw RequestError(.invalid, "there is no such port") }
    guard keep != true || preview != true else {
      throw RequestError(.invalid, "`keep` and `preview` do not go together")
    }
  }
}

extension TokenRequest: CheckedRequest {
  public func check() throws(RequestError) {
    guard expires.map({ (1...10 * 365 * 86_400).contains($0) }) ?? true else {
      throw RequestError(.invalid, "a token expires within ten years, or never")
    }
  }
}

extension UserRequest: CheckedRequest {
  public func check() throws(RequestError) {
    guard (password ?? "").utf8.count <= 1024 else {
      throw RequestError(.invalid, "the password has more than 1024 bytes")
    }
  }
}

extension UnbanRequest: CheckedRequest {
  public func check() throws(RequestError) {
    guard !all.isEmpty else { throw RequestError(.invalid, "no id is given; give an address, a block or a name") }
    for id in all { try API.check(id: id, jail: jail) }
  }
}

extension UnbanAllRequest: CheckedRequest {
  public func check() throws(RequestError) { try API.check(id: "*", jail: jail) }
}

extension ListRequest: CheckedRequest {
  public func check() throws(RequestError) { try API.check(id: name, jail: nil) }
}

extension AllowRequest: CheckedRequest {
  /// Ten years.
  private static let longest: Int64 = 315_360_000

  public func check() throws(RequestError) {
    try API.check(id: id, jail: nil)
    if let time, !(1...Self.longest).contains(time) {
      throw RequestError(.invalid, "`time` is \(time)", remedy: "give seconds, from 1 to \(Self.longest)")
    }
    if let why, why.utf8.count > 500 { throw RequestError(.invalid, "`why` has more than 500 bytes") }
  }
}

extension DisallowRequest: CheckedRequest {
  public func check() throws(RequestError) { try API.check(id: id, jail: nil) }
}

extension ConfirmRequest: CheckedRequest {
  public func check() throws(RequestError) { try API.check(id: id, jail: nil) }
}
