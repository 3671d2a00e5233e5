internal import Filters
internal import Model
internal import Settings

/// Failures of host names, which only fail2ban's filters find and only with `usedns: yes` or `warn`: the line is recorded
/// under the name at once, and every address that the name resolves to counts as a failure of its own, in the same batch
/// where the answer is known, else in a later one.
///
/// The price: when the daemon is killed while an answer is under way, the line stays recorded but does not count.
struct HostFailures {
  let resolver: NameResolver

  /// - Parameter later: called on another thread for each name that had to be looked up, with its failures and, with
  ///   `usedns: warn`, a sentence about it.
  func resolve(in batch: inout FailureBatch, _ plan: Plan, later: @escaping @Sendable (FailureBatch, String?) -> Void) {
    guard batch.failures.contains(where: \.isHostName) else { return }
    for failure in batch.failures where failure.isHostName {
      let name = batch.text(failure.name)
      let jail = plan.jails[Int(failure.jail)].settings
      let (user, line) = (batch.text(failure.user), batch.text(failure.line))
      if let answer = resolver.known(name) {
        Self.add(answer, failure, user, line, to: &batch)
        continue
      }
      resolver.resolve(name) { answer in
        var resolved = FailureBatch()
        Self.add(answer, failure, user, line, to: &resolved)
        later(resolved, jail.usedns == .warn ? Self.sentence(name, answer, jail.name) : nil)
      }
    }
    // The record of the line; its addresses count.
    batch.keepFailures { failure in
      if failure.isHostName { failure.weight = 0 }
      return true
    }
  }

  private static func add(
    _ answer: NameResolver.Answer, _ failure: Failure, _ user: String, _ line: String, to batch: inout FailureBatch
  ) {
    guard case .addresses(let addresses) = answer else { return }
    let userRange = user.isEmpty ? ByteRange.empty : batch.store(Array(user.utf8).span)
    let lineRange = batch.store(Array(line.utf8).span)
    for address in addresses {
      var resolved = failure
      resolved.isHostName = false
      resolved.name = .empty
      resolved.cursor = .empty
      resolved.rule = .empty
      resolved.address = address
      resolved.user = userRange
      resolved.line = lineRange
      batch.append(resolved)
    }
  }

  private static func sentence(_ name: String, _ answer: NameResolver.Answer, _ jail: String) -> String {
    switch answer {
    case .addresses(let addresses):
      "[\(jail)] counts \(name) as \(addresses.map(\.description).joined(separator: ", ")), by DNS (usedns: warn)"
    case .none(let reason): "[\(jail)] does not count \(name): \(reason)"
    }
  }
}
