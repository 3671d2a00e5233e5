extension Settings {
  /// Reads what stands outside the jails, and no filter: enough, and much faster, for whoever asks where the socket or the
  /// store is.
  public static func readGeneral(path: String) -> Reading {
    let problems = Problems()
    var reader = SettingsReader(file: path, problems: problems, fail2banFilter: nil, builtin: [], machine: .current)
    reader.readsJails = false
    reader.read(Pieces.read(path, problems))
    return Reading(
      settings: reader.settings, errors: Problems.sorted(problems.errors, first: path),
      warnings: Problems.sorted(problems.warnings, first: path), brokenJails: [])
  }
}
