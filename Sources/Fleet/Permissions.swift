/// Who may publish and hear what, in the form of nats-server's settings
/// (https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization).
public enum Permissions {
  /// A server tells under its own name and site, looks at `BL_LIVE`, and hears what is decided. It can make no consumer, which could be
  /// told to deliver to any subject.
  /// - Parameter aggregates: it reads `BL_FAIL` and publishes decisions, too.
  public static func node(site: String, name: String, aggregates: Bool) -> String {
    var publish = ["bl.fail.\(site).\(name)", "$JS.API.DIRECT.GET.\(Subject.live)"]
    if aggregates {
      let reader = "\(Subject.input).agg-\(site)-\(name)"
      publish += [
        "bl.live.>", "$JS.API.STREAM.INFO.\(Subject.input)", "$JS.API.DIRECT.GET.\(Subject.input)",
        "$JS.API.CONSUMER.CREATE.\(reader)", "$JS.API.CONSUMER.DELETE.\(reader)", "$JS.API.CONSUMER.MSG.NEXT.\(reader)",
      ]
    }
    return text(publish: publish, subscribe: [Subject.liveSubjects, "_INBOX_\(site)_\(name).>"])
  }

  /// An operator gives orders and looks at everything; what an order is worth its signature says.
  public static func `operator`(site: String, name: String) -> String {
    text(
      publish: [
        "bl.order.\(name)", "$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.*",
        "$JS.API.CONSUMER.LIST.\(Subject.input)",
      ], subscribe: ["_INBOX_\(site)_\(name).>"])
  }

  private static func text(publish: [String], subscribe: [String]) -> String {
    func list(_ subjects: [String]) -> String { "[" + subjects.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
    return "{publish: \(list(publish)), subscribe: \(list(subscribe))}"
  }
}
