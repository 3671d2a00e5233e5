public import Detection
public import Model

extension Detector {
  /// - Parameters:
  ///   - ignoring: never counted, in any jail.
  ///   - apart: blocks that hold one of these are counted by their single addresses.
  public init(_ plan: Plan, ignoring: [Subnet] = [], apart: Set<Address> = []) {
    self.init(plan.limits(ignoring: ignoring), apart: apart)
  }

  public mutating func reload(_ plan: Plan, ignoring: [Subnet] = []) -> [String] {
    reload(plan.limits(ignoring: ignoring))
  }
}
