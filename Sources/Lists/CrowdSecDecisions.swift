internal import JSON
internal import Model

/// What CrowdSec's local API has decided: the answer to `GET /v1/decisions/stream?startup=true`, seen with crowdsec 1.4.6. An
/// object with `new` and `deleted`, each a list or null; scopes are written in any case.
struct CrowdSecDecisions: Decodable {
  struct Decision: Decodable {
    var scope: String
    var type: String
    var value: String
  }

  var new: [Decision]?

  /// The addresses and blocks that are banned. Captchas and other measures are no bans; countries and networks are not addresses.
  var banned: [Subnet] {
    (new ?? []).compactMap { decision in
      guard decision.type.lowercased() == "ban", ["ip", "range"].contains(decision.scope.lowercased()) else {
        return nil
      }
      return Subnet(decision.value)
    }
  }

  /// - Throws: for what is no such answer.
  static func parse(_ bytes: [UInt8]) throws(ListProblem) -> AddressList {
    do { return AddressList(try JSONInput.decode(CrowdSecDecisions.self, from: bytes).banned) } catch {
      throw ListProblem("it does not answer as CrowdSec's local API does: \(error)")
    }
  }
}
