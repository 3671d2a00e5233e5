internal import AuditLog
internal import LockoutGuard
internal import Model
internal import Pipeline
internal import Settings
internal import System

/// One reason why an id is not banned, or not counted.
public struct ReasonReply: Hashable, Sendable, Codable {
  public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
    /// An entry of `ignoreip` covers it.
    case ignored
    /// A person or an allow list spares it.
    case allowed
    /// A blocklist blocks it.
    case listed
    /// This machine, its gateway or its name server.
    case own
    /// Somebody is logged in from there.
    case session
    /// A jail wanted to ban it and did not, as the audit says.
    case withheld
    /// Bans are decided on paper only.
    case dryRun = "dry_run"
    /// An operator lifted its last ban.
    case lifted
    /// The time of its last ban is over.
    case expired
    /// It has failed less often than a jail allows.
    case belowLimit = "below_limit"
    /// Its failures are older than a jail looks back.
    case old
  }

  public var code: Code
  /// Where the reason is one jail's; nil: everywhere.
  public var jail: String?
  public var text: String
}

extension ReasonReply {
  /// What lists and people say of an id, whatever is stored of it.
  static func listed(_ identity: Identity, _ settings: Settings) -> [ReasonReply] {
    guard let subnet = identity.subnet else { return [] }
    let lookup = ListLookup(settings)
    let allowed = lookup.allowing(subnet).map {
      ReasonReply(code: .allowed, jail: nil, text: "\($0) is allowed: no jail counts it, and no list blocks it")
    }
    return (allowed.map { [$0] } ?? [])
      + lookup.blocking(subnet).map {
        ReasonReply(code: .listed, jail: nil, text: "list \($0.list) blocks it: \($0.entry) is in \($0.source)")
      }
  }
}

/// Why somebody is not banned, always: what a person asks who sees failures and no ban.
struct WhyNot {
  var explanation: Explanation
  var windows: [WindowReply]
  var settings: Settings
  /// What lists and people say of it.
  var listed: [ReasonReply]
  /// What the daemon noted when it did not ban, newest first.
  var withheld: [AuditRow]
  var now: Instant

  var reasons: [ReasonReply] {
    guard explanation.inForce(at: now).isEmpty else { return listed + onPaper }
    return listed + ignored + protected + withheldByJail + lastBan + limits
  }

  private var ignored: [ReasonReply] {
    windows.compactMap { window in
      window.ignoredBy.map {
        ReasonReply(code: .ignored, jail: window.jail, text: "\($0) is in ignoreip: it is not counted")
      }
    }
  }

  /// Who would be locked out now.
  private var protected: [ReasonReply] {
    guard let subnet = explanation.identity.subnet else { return [] }
    return Protected.collect().objections(to: subnet, sparing: settings.protectSessions.spared).compactMap {
      objection in
      let code: ReasonReply.Code
      switch objection.reason {
      case .tooWide: return nil
      case .session: code = .session
      case .own, .gateway, .resolver, .caller: code = .own
      }
      return ReasonReply(code: code, jail: nil, text: "\(objection): no jail bans it")
    }
  }

  private var withheldByJail: [ReasonReply] {
    withheld.prefix(1).map {
      ReasonReply(code: .withheld, jail: nil, text: "\(LocalTime.text($0.time)): \($0.detail)")
    }
  }

  private var lastBan: [ReasonReply] {
    guard let ban = explanation.bans.first else { return [] }
    if let ended = ban.ended, ban.endCause == "operator" {
      return [
        ReasonReply(code: .lifted, jail: ban.jail, text: "an operator lifted its last ban at \(LocalTime.text(ended))")
      ]
    }
    guard let over = ban.ended ?? ban.until else { return [] }
    return [ReasonReply(code: .expired, jail: ban.jail, text: "its last ban ended at \(LocalTime.text(over))")]
  }

  private var limits: [ReasonReply] {
    windows.compactMap { window in
      guard window.ignoredBy == nil, window.weight < window.maxretry else { return nil }
      let span = TimeSpan.seconds(window.findtime).brief
      return window.weight > 0
        ? ReasonReply(
          code: .belowLimit, jail: window.jail,
          text: "\(window.weight) of \(window.maxretry) failures within the last \(span)")
        : ReasonReply(
          code: .old, jail: window.jail, text: "none of its failures lies within the last \(span), which is findtime")
    }
  }

  /// A ban that is in force and was never given to the firewall.
  private var onPaper: [ReasonReply] {
    guard explanation.inForce(at: now).allSatisfy({ $0.applied == nil }) else { return [] }
    return [
      ReasonReply(
        code: .dryRun, jail: nil, text: "its ban is on paper only: a dry run decides and leaves the firewall alone")
    ]
  }
}
