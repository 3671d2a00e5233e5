"""Radicale: standard error; `Failed login attempt from ADDRESS: 'alice'`."""

import acts

PACKAGES = ["radicale", "apache2-utils"]
FILTERS = ["radicale"]

SETTINGS = """
[server]
hosts = 0.0.0.0:5232, [::]:5232
[auth]
type = htpasswd
htpasswd_filename = /etc/radicale/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = /tmp/radicale
[logging]
level = info
"""


def run(m):
    m.write("/etc/radicale/config", SETTINGS)
    m.write("/etc/radicale/users", "alice:right\n")
    m.start("radicale --config /etc/radicale/config", log="/var/log/radicale.log")
    m.wait_for_port(5232)
    m.log("/var/log/radicale.log")
    acts.basic_password(m, 5232, path="/alice/")
