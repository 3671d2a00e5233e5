internal import Fail2banImport
internal import Settings

extension CheckReply {
  /// What `bailiff check --json` prints for a file: errors, then warnings.
  /// - Parameter file: empty for automatic settings, in which nothing can be wrong.
  public static func all(file: String) -> [CheckReply] {
    guard !file.isEmpty else { return [] }
    let reading = Settings.read(
      path: file,
      fail2banFilter: { path, options in try FilterTranslation.loadFilter(path: path, options: options) })
    var check = SettingsCheck(reading)
    let machine = MachineCheck(check.settings)
    check.errors += machine.errors
    check.warnings += machine.warnings
    return check.errors.map { CheckReply($0, .error) } + check.warnings.map { CheckReply($0, .warning) }
  }
}
