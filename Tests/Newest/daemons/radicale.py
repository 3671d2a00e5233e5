"""Radicale: standard error; `Failed login attempt from ADDRESS: 'alice'`."""

import acts

PACKAGES = ["radicale", "apache2-utils"]
FILTERS = ["radicale"]


def run(m):
    m.write("/etc/radicale/config", "[server]\nhosts = 0.0.0.0:5232, [::]:5232\n[auth]\ntype = htpasswd\nhtpasswd_filename = /etc/radicale/users\nhtpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = /tmp/radicale\n[logging]\nlevel = info\n")
    m.write("/etc/radicale/users", "alice:right\n")
    m.start("radicale --config /etc/radicale/config", log="/var/log/radicale.log")
    m.wait_for_port(5232)
    m.log("/var/log/radicale.log")
    acts.basic_password(m, 5232, path="/alice/")
