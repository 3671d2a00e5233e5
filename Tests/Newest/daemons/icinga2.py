"""Icinga 2: its API; `Invalid authentication…`? The line `New client connection from [ADDRESS]:port (no client certificate)` has the address."""

import acts

PACKAGES = ["icinga2-bin", "icinga2-common", "openssl"]
FILTERS = ["icinga2"]


def run(m):
    m.run("mkdir -p /run/icinga2 /var/lib/icinga2 /var/log/icinga2; chown -R nagios: /run/icinga2 /var/lib/icinga2 /var/log/icinga2 /etc/icinga2; "
          "icinga2 api setup --cn server.example.test; icinga2 feature enable mainlog", check=False)
    m.write("/etc/icinga2/conf.d/api-users.conf", 'object ApiUser "alice" {\n  password = "right"\n  permissions = [ "*" ]\n}\n')
    m.start("icinga2 daemon")
    m.wait_for_port(5665, timeout=60)
    m.log("/var/log/icinga2/icinga2.log")
    acts.basic_password(m, 5665, path="/v1/status", tls=True)
