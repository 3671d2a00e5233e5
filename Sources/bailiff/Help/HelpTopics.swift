extension HelpTopic {
  /// Each fits on a screen; the manual pages have the rest.
  static let all = [
    HelpTopic(
      name: "files", abstract: "where everything is",
      text: """
        /etc/bailiff/bailiff.yaml      the settings: bailiff.yaml(5)
        /etc/bailiff/jails.d/*.yaml    a jail a file, over those of bailiff.yaml
        /etc/bailiff/filters           your own filters, before those of the same name that come with the program
        /usr/share/bailiff/filters     those that come with the program: bailiff-filter(5)
        /var/lib/bailiff/bailiff.db    the audit; `bailiff backup FILE` copies it while the daemon runs
        /run/bailiff/bailiff.sock      where the commands ask the daemon

          bailiff check --show         what all files say together, each value with its place
        """),
    HelpTopic(
      name: "lockout", abstract: "somebody is banned who should not be; perhaps you",
      text: """
        From the machine's console, or from another address:

          bailiff explain ADDRESS      which lines, which pattern, which limit
          bailiff unban ADDRESS        at once; the history stays
          bailiff unban --all

        So that it does not happen again, put the address or its network into `ignoreip` and run:

          bailiff reload

        Addresses from which somebody is logged in, this machine's own, its gateway and its name servers are never banned,
        unless `bailiff ban --force` says so. `bailiff ban ADDRESS --confirm 60s` lifts itself.
        """),
    HelpTopic(
      name: "values", abstract: "how times, addresses and sizes are written",
      text: """
        times       10m  1h30m  2d  1w, or seconds; `permanent` where a ban may have no end
        addresses   192.0.2.7  2001:db8::7, blocks 192.0.2.0/24  2001:db8::/48
        ports       22  ssh  1000-2000, `all`
        sizes       500MiB  2GiB
        moments     2026-11-21T07:00  "2026-11-21 07:00:00"  24h (so long ago)
        """),
    HelpTopic(
      name: "exit", abstract: "what scripts are told",
      text: """
        0  done
        1  no: not banned, samples fail, something would change (--check), the record is not whole
        2  wrong usage or settings
        3  the daemon is not there
        """),
    HelpTopic(
      name: "fail2ban", abstract: "coming from it, and going back",
      text: """
          bailiff import fail2ban > /etc/bailiff/bailiff.yaml    its jails; what cannot be carried over is listed
          bailiff check
          bailiff replay /var/log/auth.log                       what would have been banned?
          bailiff import fail2ban --bans                         the running daemon takes over its bans in force
          bailiff export fail2ban DIRECTORY                      the way back, with the bans in force
        """),
    HelpTopic(
      name: "back", abstract: "stopping, and taking everything back",
      text: """
        systemctl stop bailiff        bans stay in force until their time is over
        apt remove bailiff            lifts them, with every rule and set; settings and audit stay

          bailiff stop --unban        lifts them, and ends the daemon
          bailiff unban --all         lifts them while it runs
          bailiff backup FILE         settings, filters, lists and the audit
          bailiff restore FILE        puts them back
        """),
  ]
}
