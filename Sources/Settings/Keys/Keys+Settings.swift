internal import Detection
internal import Model

extension Keys {
  /// bailiff.yaml, and every file that it includes.
  static let all =
    included + [
      Key("include", .list(.text), "Other files of settings, with * and ?; a relative path begins where this file is.")
    ]

  static let included: [Key] = [
    Key("state", .text, "The directory of the audit, bailiff.db."),
    Key("socket", .text, "The Unix socket that the commands talk to, up to 107 bytes."),
    Key("group", .text, "Its members may use the socket too."),
    Key("filters", .list(.text), "Directories in which native filters are looked for; the first file of a name wins."),
    Key("container_roots", .list(.text), "Where Docker, Podman and Kubernetes keep what they know of containers."),
    Key("firewall", .map(firewall), "What carries bans out."),
    Key("ignoreip", .list(.text), "Never counted and never banned: addresses, blocks, names, file:/path."),
    Key(
      "trusted_proxies", .list(.text),
      "Proxies, by address, block or file:/path: the client is whom they spoke for, and they are never banned."),
    Key("everybody", .bool, "ignoreip may spare everybody."),
    Key("ignoreself", .bool, "This machine's own addresses are not banned."),
    Key(
      "protect_sessions", .either([.bool, .word(["all"])]),
      "Addresses from which administrators (all: anybody) are logged in are not banned."),
    Key("on_full", words(OnFull.self), "What happens to the audit when the disk is full."),
    Key("bans_per_minute_warning", .integer(1...1_000_000_000), "More bans in a minute are carried out, and reported."),
    Key("retention", .map(retention), "How long the audit is kept."),
    Key("activity", .bool, "Record what those do who are let in: logins, sessions, commands, changes."),
    Key("alerts", .map(alerts), "What a person should look at."),
    Key("defaults", .map(limits), "What holds for jails that say nothing themselves."),
    Key("jails", .named(.map(jail)), "What is watched, by name."),
    Key("lists", .named(.map(addressList)), "Blocklists and allow lists from files and URLs, by name."),
    Key("geo", .map(geo), "Databases that know where addresses are from."),
    Key("outputs", .named(.map(output)), "Who is told what happens, by name."),
    Key("reports", .map(reports), "Which reports are made by themselves, how long they are kept, who gets them."),
    Key("compat", .map(compat), "What others already speak."),
    Key("api", .map(api), "The API on TCP."),
    Key("failures", .map(failures), "Which programs may report failures."),
    Key("fleet", .map(fleet), "Servers that count together, over NATS."),
  ]

  static let firewall: [Key] = [
    Key("backend", words(FirewallSettings.Backend.self), "dry-run decides and records, and changes nothing."),
    Key("protect", .list(words(FirewallSettings.Path.self)), "On which ways of a packet bans hold: both, unless told."),
    Key("chains", .list(.text), "The chains of iptables that lead into Bailiff's own: [INPUT, DOCKER-USER]."),
    Key("block", .list(.map(staticRule)), "Who does not get in, without any failure: {from: […], port: […]}."),
    Key("allow_only", .list(.map(staticRule)), "Which ports are open, and to whom; every other is closed."),
    Key("syn_limit", .map(synLimit), "So many new TCP connections are let through; the kernel drops the others."),
  ]

  static let staticRule: [Key] = [
    Key("port", .list(.either([.integer(1...65535), .text])), "Names, numbers, ranges, or all; all unless told."),
    Key("protocol", .list(words(TransportProtocol.self)), "Whose ports: [tcp, udp] unless told."),
    Key(
      "from", .list(.text),
      "Addresses, blocks, list:NAME, country:DE, network:64496; with allow_only everybody unless told."),
  ]

  static let synLimit: [Key] = [
    Key("rate", .text, "So many in a time: 30/s, 100/m, 1000/h."),
    Key("burst", .integer(SynLimitSettings.numbers), "So many at once: twice the rate unless told."),
    Key("per", words(SynLimitSettings.Scope.self), "Counted for each address (each /64 of IPv6), or for all together."),
    Key("log_prefix", .text, "What begins the kernel's log of what is dropped; without it nothing is logged."),
  ]

  static let addressList: [Key] = [
    Key("path", .text, "A file, or a directory whose files are one list; read again when they change."),
    Key("url", .text, "Where it is fetched; the last good one holds when that fails."),
    Key("authority", .text, "A file of certificate authorities (PEM) in place of the system's."),
    Key(
      "type", words(ListReader.Kind.self),
      "What answers at the URL: crowdsec is a CrowdSec local API; addresses unless told."),
    Key("key", secret, "CrowdSec's key of a bouncer, which cscli bouncers add made.", isSecret: true),
    Key("countries", .list(.text), "The blocks of countries, by ISO 3166's codes: [DE, \"NO\"]."),
    Key(
      "networks", .list(.either([.integer(1...4_294_967_295), .text])), "The blocks of autonomous systems: [64496]."),
    Key("database", .text, "The file that knows countries and networks, in place of the one in `geo`."),
    Key("rules_only", .bool, "Rules of the firewall name it; by itself it neither blocks nor spares."),
    Key("refresh", .time, "How often it is looked at: 6h for a URL, 1m for a file."),
    Key("allow", .bool, "What it holds is spared, by every jail and list, in place of being blocked."),
    Key("private", words(ListReader.Private.self), "What becomes of a list that holds private networks."),
    Key("block", words(JailSettings.Block.self), "What a blocked client is answered: nothing, or port unreachable."),
    Key("limit", .integer(1...2_000_000), "A list with more entries is refused."),
    Key("enabled", .bool, "A disabled list is checked, and not used."),
  ]

  static let geo: [Key] = [
    Key("country", .text, "A file in MaxMind's format that knows countries, or off."),
    Key("network", .text, "One that knows autonomous systems, or off."),
  ]

  static let reports: [Key] = [
    Key(
      "schedule", words(ReportSettings.Schedule.self), "How often one is made, of the last whole day, week or month."),
    Key("keep", age, "Older ones are removed: 1y."),
    Key("output", .text, "The output of type mail that gets them."),
    Key("format", words(ReportSettings.Format.self), "What is sent; pdf needs WeasyPrint."),
  ]

  static let retention: [Key] = [
    Key("failures", age, "Failures older than this are removed."),
    Key("bans", age, "Bans and operators' acts older than this are removed."),
    Key("activity", age, "Activities older than this are removed."),
    Key(
      "activity_size", .either([.word(["unlimited"]), .size]),
      "Above it the oldest activities go first: 256MiB. They count for nothing else."),
    Key("size", .either([.word(["unlimited"]), .size]), "Above it the oldest failures go first: 500MiB, 2GiB."),
  ]

  private static let orOff: Key.Kind = .either([.word(["off"]), .text])

  static let alerts: [Key] = [
    Key("login_after_failures", orOff, "So many failures of an address before it is let in: 5/1d."),
    Key("new_network", .either([.word(["off"]), .time]), "A network that an account has not used for so long: 30d."),
    Key("many_addresses", orOff, "So many addresses that fail at one account: 20/1d."),
    Key("many_accounts", orOff, "So many accounts at which one address fails: 10/1d."),
    Key("banned_login", .bool, "A login from an address that is banned."),
    Key("first_privilege", .bool, "An account that becomes root or uses sudo for the first time."),
  ]

  private static let age: Key.Kind = .either([.word(["forever", "permanent"]), .age])

  /// What `defaults` takes, and each jail.
  static let limits: [Key] = [
    Key("maxretry", .integer(Limits.maxretry), "This many failures are a ban …"),
    Key("findtime", .time, "… within this time."),
    Key(
      "limit", .text,
      "maxretry and findtime in one: 150/1m, or \(Rate.presets.map(\.name).joined(separator: ", "))."),
    Key(
      "per", .list(words(Jail.Counting.self)), "What is counted by itself: address, [address, user], [address, app]."),
    Key("record", words(JailSettings.Record.self), "counts stores no failures but the last ones before a ban."),
    Key("bantime", .either([.word(["permanent", "forever"]), .time]), "How long; negative is permanent, too."),
    Key("bantime_increment", .either([.bool, .map(increment)]), "Bans grow when an address comes back."),
    Key("escalate", .either([.bool, .map(escalation)]), "When so many of a block are banned, the block is."),
    Key("prefix", .map(prefix), "How many leading bits are counted and banned together."),
    Key("port", .list(.either([.integer(1...65535), .text])), "What a ban closes: names, numbers, ranges, or all."),
    Key("protocol", .list(words(TransportProtocol.self)), "Whose ports."),
    Key("block", words(JailSettings.Block.self), "What a banned client is answered: nothing, or port unreachable."),
    Key("usedns", .either([.bool, .word(["yes", "no", "warn", "raw"])]), "May a host name be resolved and banned?"),
    Key("logtimezone", .text, "The zone of stamps that name none: UTC, UTC+0200, Europe/Berlin."),
    Key("backend", words(JailSettings.Backend.self), "Which is read where journal and files are both known."),
  ]

  static let increment: [Key] = [
    Key("factor", .number, "The n-th ban lasts this much longer than the one before."),
    Key("coefficient", .number, "Multiplies every ban but the first."),
    Key("multipliers", .list(.either([.number, .text])), "Instead of factor; the last one holds from then on."),
    Key("maxtime", .time, "No ban is longer."),
    Key("rndtime", .time, "Up to this much is added at random."),
    Key("forget", .time, "So long after its last ban an id is new again: 90d unless told."),
    Key("overalljails", .bool, "Bans in other jails count as earlier ones."),
  ]

  static let escalation: [Key] = [
    Key("ipv4", .integer(Limits.ipv4Prefix), "Leading bits of a block of IPv4: 24 unless told."),
    Key("ipv6", .integer(Limits.ipv6Prefix), "Leading bits of a block of IPv6: 48 unless told."),
    Key("after", .integer(Limits.escalateAfter), "So many different addresses: 5 unless told."),
    Key("within", .time, "Banned within this time: 1d unless told."),
  ]

  static let prefix: [Key] = [
    Key("ipv4", .integer(Limits.ipv4Prefix), "Leading bits of an IPv4 address."),
    Key("ipv6", .integer(Limits.ipv6Prefix), "Leading bits of an IPv6 address."),
  ]

  static let jail: [Key] =
    limits + [
      Key("enabled", .bool, "A disabled jail is checked, and not run."),
      Key("filter", .text, "A native filter by name, or the path of a .yaml or of a .conf of fail2ban's."),
      Key("options", .named(.text), "Options of a fail2ban filter: {mode: aggressive}."),
      Key(
        "source", words(JailSettings.Source.self),
        "bans counts Bailiff's own bans, reports what programs report, alerts what `alerts` names, stdin standard input."
      ),
      Key(
        "alerts", .list(.word(AlertReader.kinds.keys.sorted())),
        "Alerts that count against their address: [many_accounts, login_after_failures]."),
      Key("logpath", .list(.text), "Paths, with * and ?; files that appear later are read, too."),
      Key("journalmatch", .list(.text), "Each entry is an alternative: _SYSTEMD_UNIT=ssh.service _COMM=sshd."),
      Key(
        "containers", .list(.text),
        "Containers by name, with * and ?, or label=KEY=VALUE: their logs are read, wherever they are."),
      Key("ignoreip", .list(.text), "For this jail, in addition to the one at the top."),
      Key("trusted_proxies", .list(.text), "For this jail, in addition to those at the top."),
      Key("scope", words(JailSettings.Scope.self), "fleet counts with the other servers of the fleet as well."),
      Key("maxlines", .integer(1...1000), "Lines that a pattern may span; fail2ban filters only."),
      Key("datepattern", .text, "fail2ban filters only."),
      Key("logencoding", .text, "fail2ban filters only."),
    ]
}
