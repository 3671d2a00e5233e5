"""Unbound: says nothing of refused queries unless log-local-actions, log-replies or verbosity 3 is set."""

import dns

PACKAGES = ["unbound"]
FILTERS = ["unbound"]


def run(m):
    m.write("/etc/unbound/unbound.conf", """
server:
  interface: 0.0.0.0
  interface: ::0
  access-control: 0.0.0.0/0 refuse
  access-control: ::0/0 refuse
  access-control: 198.51.100.3/32 allow
  access-control: 2001:db8:78::3/128 allow
  local-zone: "example.test." static
  local-data: "www.example.test. A 198.51.100.1"
  use-syslog: no
  logfile: "/var/log/unbound.log"
  log-time-iso: yes
  log-replies: yes
  log-local-actions: yes
  log-servfail: yes
  chroot: ""
  username: ""
  pidfile: ""
  do-daemonize: no
remote-control:
  control-enable: no
""")
    m.start("unbound -d -c /etc/unbound/unbound.conf")
    m.wait_for_port(53, "udp")
    m.log("/var/log/unbound.log")
    dns.visits(m)
