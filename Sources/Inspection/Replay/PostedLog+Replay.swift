internal import Detection
public import Model
public import Pipeline
public import Settings

extension PostedLog {
  /// Whom a jail would have banned, under its limits or others; `body` hears of each. Nothing is recorded.
  public func replay(
    _ jail: String, _ limits: WhatIfLimits, _ settings: Settings, _ body: (Decision) -> Void
  ) throws -> Replay.Summary {
    var settings = settings
    settings.jails = [try WhatIf.jail(jail, limits, settings)]
    settings.jails[0].enabled = true
    (settings.activity, settings.alerts) = (false, .none)
    let alone = settings
    return try withoutActuallyEscaping(body) { body in
      try asFile { path in
        // What the path is called here is no log that a jail names: the one jail reads it.
        try Replay(alone).run([path], onDecision: body)
      }
    }
  }
}
