"""Monit's web server: `Client '::ffff:ADDRESS' supplied wrong password for user 'alice'`, its log or syslog."""

import acts

PACKAGES = ["monit"]
FILTERS = ["monit"]


def run(m):
    m.write("/etc/monit/test", "set daemon 60\nset log /var/log/monit.log\nset idfile /tmp/id\nset statefile /tmp/state\nset httpd port 2812\n  allow alice:right\n"
            "check system $HOST\n", 0o600)
    m.start("monit -I -c /etc/monit/test")
    m.wait_for_port(2812)
    m.log("/var/log/monit.log")
    acts.basic_password(m, 2812, path="/")
