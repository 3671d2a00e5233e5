internal import Filters
internal import Glibc
internal import YAML

/// One value set in the file that has it: `bailiff settings set`.
public struct SettingsChange: Sendable {
  /// Settings as they would be, with this text in the place of a file's.
  public typealias Replacement = (file: String, text: String)

  public let file: String
  let before: String
  let after: String

  /// Nil when the value is there already.
  ///
  /// Throws `SettingsError` where the change cannot be made, and `SettingsErrors` with what would be wrong afterwards, which
  /// `read` finds.
  public init?(
    setting path: [String], to value: String, in config: String, read: (Replacement) -> Settings.Reading
  ) throws {
    guard !path.isEmpty, !path.contains(""), path.allSatisfy({ !$0.contains(where: ":#{}[],&*!|>'\"%@` \n".contains) })
    else {
      throw SettingsError(
        Place(file: config, line: 0, column: 0), "\(quoted(path.joined(separator: "."))) is no key",
        remedy: "write keys with dots between them: jails.sshd.maxretry")
    }
    let target = Self.file(of: path, in: config)
    let name = target.file
    file = name
    do {
      before = unsafe access(name, F_OK) == 0 ? try TextFile.read(name) : ""
      after = try YAMLEdit.setting(target.path, to: value, in: before)
    } catch let error as YAMLEdit.Failure {
      throw SettingsError(Place(file: name, line: 0, column: 0), error.message, remedy: error.remedy)
    } catch let error as TextFile.Failure {
      throw SettingsError(Place(file: name, line: 0, column: 0), error.message, remedy: error.remedy)
    }
    guard after != before else { return nil }
    let errors = read((name, after)).errors
    guard errors.isEmpty else { throw SettingsErrors(errors) }
  }

  /// The file whose value holds, or else the last one that has something of the same jail, or else the main one; and the path
  /// inside it.
  private static func file(of path: [String], in config: String) -> (file: String, path: [String]) {
    func shared(_ entry: EffectiveSettings.Entry) -> Int { zip(entry.path, path).prefix { $0 == $1 }.count }
    let entries = EffectiveSettings(path: config).entries
    let best = entries.map { (shared($0), $0.place.file) }.filter { $0.0 >= min(2, path.count) }
    let longest = best.map(\.0).max() ?? 0
    // Of files that share as much, the one that is read last.
    let file =
      best.filter { $0.0 == longest }.map(\.1).max { ($0 != config ? 1 : 0) < ($1 != config ? 1 : 0) } ?? config
    let isJail = Pieces.isJail(file, of: config)
    return (file, isJail ? Array(path.dropFirst(2)) : path)
  }

  /// The lines that go, with `-`, and those that come, with `+`, below the file's name.
  public var difference: [String] {
    let old = before.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let new = after.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let head = zip(old, new).prefix { $0 == $1 }.count
    let tail = zip(old.dropFirst(head).reversed(), new.dropFirst(head).reversed()).prefix { $0 == $1 }.count
    return ["\(file):\(head + 1)"] + old.dropFirst(head).dropLast(tail).map { "-\($0)" }
      + new.dropFirst(head).dropLast(tail).map { "+\($0)" }
  }

  /// Puts the new text in place whole, with the owner and the mode of the old one.
  public func write() throws(SettingsError) {
    do { try TextFile.replace(file, with: after) } catch {
      throw SettingsError(Place(file: file, line: 0, column: 0), error.message, remedy: error.remedy)
    }
  }
}
