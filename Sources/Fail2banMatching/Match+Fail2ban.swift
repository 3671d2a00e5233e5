internal import Matching
internal import Model

extension Match {
  /// Takes over what a fail2ban filter found.
  mutating func take(_ failure: Fail2banFailure, captures keepsCaptures: Bool) {
    reset()
    pattern = failure.pattern
    time = failure.time
    isDated = failure.isDated
    host = keep(failure.host)
    failure.fields.withSpan(failure.userField) { user = keep($0, 0..<$0.count) }
    address = Address(bits: 0)
    switch failure.identity {
    case .address(let address): self.address = address
    case .subnet(let subnet): name = keep(Array(subnet.description.utf8))
    case .name(let text): name = keep(text)
    case .hostname(let text):
      name = keep(text)
      isHostName = true
    }
    guard keepsCaptures else { return }
    var captures: [Capture] = []
    failure.forEachCapture { name, value in
      var bytes: [UInt8] = []
      bytes.append(value, 0..<value.count)
      captures.append(Match.Capture(name: name, value: bytes))
    }
    self.captures = captures
  }
}
