internal import Filters
public import Settings

/// A value of the settings, with its place and what it overrides.
extension EffectiveSettings.Entry: Encodable {
  private enum CodingKeys: CodingKey { case key, value, file, line, overrides }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(path.joined(separator: "."), forKey: .key)
    try members.encode(text, forKey: .value)
    try members.encode(place.file, forKey: .file)
    try members.encode(place.line, forKey: .line)
    try members.encode(
      overridden.map { Overridden(value: $0.text, file: $0.place.file, line: $0.place.line) }, forKey: .overrides)
  }

  private struct Overridden: Encodable {
    var value: String
    var file: String
    var line: Int
  }
}
