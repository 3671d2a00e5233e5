"""ProFTPD: syslog or SystemLog; `HOST (ADDRESS[ADDRESS]) - USER alice (Login failed): …`."""

import acts

PACKAGES = ["proftpd-core"]
FILTERS = ["proftpd"]

SETTINGS = """
ServerName server
ServerType standalone
DefaultServer on
Port 21
UseIPv6 on
User proftpd
Group nogroup
MaxLoginAttempts 3
UseReverseDNS off
SystemLog /var/log/proftpd/proftpd.log
RequireValidShell on
"""


def run(m):
    m.add_user("alice")
    m.write("/etc/proftpd/proftpd.conf", SETTINGS)
    m.run("mkdir -p /var/log/proftpd /run/proftpd")
    m.start_syslog()
    # With --nodaemon it would write to standard error.
    m.run("proftpd --config /etc/proftpd/proftpd.conf")
    m.wait_for_port(21)
    m.log("/var/log/proftpd/proftpd.log")
    m.log("/var/log/syslog", "syslog")
    acts.ftp(m)
