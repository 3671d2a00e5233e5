internal import Model
internal import System

/// Notices that this machine's clock was set: windows and bans that began before it then have other lengths.
struct ClockWatch {
  /// Synchronisation moves a clock by less, little by little.
  private static let tolerance = TimeSpan.seconds(60)
  /// How long it is said.
  private static let memory = TimeSpan.minutes(10)

  private var last: (wall: Instant, steady: Duration)?
  private var until: Duration?
  private(set) var problem: String?

  /// - Parameters:
  ///   - wall: what the clock says.
  ///   - steady: a clock that nobody sets.
  mutating func look(wall: Instant, steady: Duration) {
    defer { last = (wall, steady) }
    if let until, steady > until { (self.until, problem) = (nil, nil) }
    guard let last else { return }
    let passed = TimeSpan(microseconds: Int64((steady - last.steady) / .microseconds(1)))
    let step = wall.since(last.wall).microseconds - passed.microseconds
    guard abs(step) > Self.tolerance.microseconds else { return }
    until = steady + .seconds(Self.memory.seconds)
    let amount = TimeSpan(microseconds: abs(step)).brief
    problem =
      "this machine's clock was set \(step < 0 ? "back" : "ahead") by \(amount) at \(LocalTime.text(wall)): see that time "
      + "synchronisation runs (`timedatectl`), and look at `bailiff bans`"
  }
}
