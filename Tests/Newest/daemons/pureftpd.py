"""Pure-FTPd: syslog; the host is the reverse name unless it is told not to ask (-H, DontResolve)."""

import acts

PACKAGES = ["pure-ftpd"]
FILTERS = ["pure-ftpd"]


def run(m):
    m.add_user("alice")
    m.start_syslog()
    m.start("pure-ftpd -l pam -H -E -S 21")
    m.wait_for_port(21)
    m.log("/var/log/syslog")
    acts.ftp(m)
