public import Cryptography
internal import JSON
public import Model

/// What an operator asks of the whole fleet. It is signed: neither a stolen server nor a stolen aggregator can make one.
public struct Order: Codable, Sendable, Equatable {
  public enum Action: String, Codable, Sendable { case ban, unban, allow, disallow }

  public var action: Action
  /// An address or a block.
  public var id: String
  /// Nil: all of them; of a ban, all ports.
  public var jail: String?
  /// Seconds since 1970; nil: until it is taken back.
  public var until: Int64?
  /// When it was given, in seconds since 1970.
  public var time: Int64
  /// Who gave it.
  public var by: String
  public var why: String

  public init(
    _ action: Action, id: Subnet, jail: String? = nil, until: Int64? = nil, time: Int64, by: String, why: String = ""
  ) {
    self.action = action
    self.id = id.description
    self.jail = jail
    self.until = until
    self.time = time
    self.by = by
    self.why = why
  }

  public var subnet: Subnet? { Subnet(id) }

  /// The subject of `BL_LIVE` that it is the last word of.
  var subject: String? {
    guard let subnet else { return nil }
    switch action {
    case .allow, .disallow: return Subject.allowance(subnet)
    case .ban, .unban: return Subject.decision(jail: jail ?? Subject.everyJail, subnet)
    }
  }
}

/// An order with its signature: the text is signed as it stands.
public struct SignedOrder: Codable, Sendable, Equatable {
  public var order: String
  public var key: String
  public var signature: String

  public init(_ order: Order, by key: SigningKey) {
    let text = JSONOutput.line(of: order)
    self.order = String(decoding: text, as: UTF8.self)
    self.key = Base64URL.text(key.publicKey)
    signature = Base64URL.text(key.sign(text))
  }

  /// The order, when one of these keys signed it; else nil.
  public func verified(by keys: [String]) -> Order? {
    guard keys.contains(key), let bytes = Base64URL.bytes(key), let verifier = VerifyingKey(bytes),
      let signature = Base64URL.bytes(signature), verifier.verifies(signature, of: Array(order.utf8)),
      let order = try? JSONInput.decode(Order.self, from: order.utf8), order.subnet != nil
    else { return nil }
    return order
  }
}

extension SignedOrder {
  var bytes: [UInt8] { JSONOutput.line(of: self) }

  init?(_ bytes: [UInt8]) {
    guard let order = try? JSONInput.decode(SignedOrder.self, from: bytes) else { return nil }
    self = order
  }
}
