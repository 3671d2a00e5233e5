"""CUPS: access_log (IPv6 as [v1.…]), PAM's line in auth.log; the honest challenge is the same 401."""

import acts

PACKAGES = ["cups-daemon", "openssl"]
FILTERS = ["cups", "pam"]

SETTINGS = """
LogLevel warn
AccessLogLevel all
Port 631
ServerAlias *
DefaultEncryption Never
DefaultAuthType Basic
WebInterface Yes
<Location />
  Order allow,deny
  Allow all
</Location>
<Location /admin>
  AuthType Basic
  Require user @SYSTEM
  Order allow,deny
  Allow all
</Location>
"""


def run(m):
    m.add_user("alice", "right", "-G", "lpadmin")
    m.write("/etc/cups/cupsd.conf", SETTINGS)
    m.start_syslog()
    m.run("mkdir -p /run/cups /var/log/cups /var/spool/cups /var/cache/cups; grep -q lpadmin /etc/cups/cups-files.conf || echo 'SystemGroup lpadmin' >> /etc/cups/cups-files.conf")
    m.start("cupsd -f -c /etc/cups/cupsd.conf")
    m.wait_for_port(631)
    m.log("/var/log/cups/access_log", "access")
    m.log("/var/log/cups/error_log")
    m.log("/var/log/syslog", "auth")
    acts.basic_password(m, 631, path="/admin/log/error_log")
