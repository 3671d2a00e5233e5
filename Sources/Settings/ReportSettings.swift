public import Model

/// `reports`: which are made by themselves, how long they are kept, who gets them.
public struct ReportSettings: Sendable, Equatable {
  /// What a scheduled report is about: the last whole day, week from Monday to Sunday, or month of this machine's zone.
  public enum Schedule: String, Sendable, CaseIterable { case daily, weekly, monthly }

  public enum Format: String, Sendable, CaseIterable { case html, pdf }

  /// Nil: none is made unless somebody asks for it.
  public var schedule: Schedule?
  /// Nil: for ever.
  public var keep: TimeSpan? = .hours(365 * 24)
  /// The output, which sends mail, that gets those of the schedule.
  public var output: String?
  /// What a scheduled report is sent as; the other one can be fetched all the same.
  public var format = Format.html

  public init() {}
}

extension SettingsReader {
  mutating func readReports(_ fields: Fields) {
    guard let value = fields["reports"], let keys = Fields(value, "reports", known: Keys.reports.names) else { return }
    settings.reports.schedule = keys["schedule"]?.choice("schedule", ReportSettings.Schedule.self)
    if let age = keys["keep"]?.age("keep") { settings.reports.keep = age.span }
    if let format = keys["format"]?.choice("format", ReportSettings.Format.self) { settings.reports.format = format }
    settings.reports.output = keys["output"].flatMap { output($0, among: fields) }
    if settings.reports.output != nil, settings.reports.schedule == nil {
      problems.warn(
        value.place, "`output` gets scheduled reports, and there is no `schedule`", remedy: "write schedule: weekly")
    }
  }

  private func output(_ value: Value, among fields: Fields) -> String? {
    guard let name = value.name("output") else { return nil }
    let names = fields["outputs"].flatMap { Fields($0, "outputs") }?.entries.map(\.key) ?? []
    guard names.contains(name) else {
      value.fail(
        "there is no output \(quoted(name))",
        suggestion(
          for: name, among: names, otherwise: "write one under `outputs`: \(name): {type: mail, to: [ADDRESS], …}"))
      return nil
    }
    // One with an error of its own is not among them.
    if let output = settings.outputs.first(where: { $0.name == name }), output.destination.type != "mail" {
      value.fail(
        "output \(quoted(name)) sends no mail, but to \(quoted(output.destination.type))",
        "name an output that sends mail")
      return nil
    }
    return name
  }
}
