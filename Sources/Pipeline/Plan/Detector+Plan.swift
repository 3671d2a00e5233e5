public import Detection
public import Model
internal import Settings

extension Detector {
  /// - Parameters:
  ///   - ignoring: never counted, in any jail.
  ///   - apart: blocks that hold one of these are counted by their single addresses.
  public init(_ plan: Plan, ignoring: [Subnet] = [], apart: Set<Address> = []) {
    self.init(plan.limits(ignoring: ignoring), apart: apart)
    alerts = AlertDetector(plan.settings.alerts, jails: plan.jailNames)
  }

  public mutating func reload(_ plan: Plan, ignoring: [Subnet] = []) -> [String] {
    reload(plan.limits(ignoring: ignoring))
  }

  /// The same for what people are told; true when its windows begin again, to be filled from the store.
  mutating func reloadAlerts(_ plan: Plan) -> Bool {
    if alerts == nil { alerts = AlertDetector(plan.settings.alerts, jails: []) }
    return alerts?.reload(plan.settings.alerts, jails: plan.jailNames) ?? false
  }
}
