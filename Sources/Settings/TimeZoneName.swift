internal import System

enum TimeZoneName {
  /// `UTC`, `GMT`, `Z`, a fixed offset (`UTC+0200`, `+02:00`), or a file of the tz database.
  static func isValid(_ name: String) -> Bool { TimeZoneRules(name: name) != nil }
}
