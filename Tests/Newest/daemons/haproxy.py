"""HAProxy: syslog, option httplog; IPv6 and port run together. A failed password is the challenge's line."""

import acts

PACKAGES = ["haproxy"]
FILTERS = ["haproxy", "http-probe"]

SETTINGS = """
global
  log /dev/log local0
defaults
  mode http
  log global
  option httplog
  timeout client 3s
  timeout server 5s
  timeout connect 1s
  timeout http-request 2s
userlist people
  user alice insecure-password right
frontend web
  bind :80
  bind :::80 v6only
  http-request auth realm secret if { path_beg /secret/ } !{ http_auth(people) }
  http-request deny if { path_beg /denied/ }
  http-request return status 200 content-type text/plain string hello if { path / } or { path_beg /secret/ }
  default_backend none
backend none
  http-request return status 404
"""


def run(m):
    m.write("/etc/haproxy/haproxy.cfg", SETTINGS)
    m.start_syslog()
    m.start("haproxy -db -f /etc/haproxy/haproxy.cfg")
    m.wait_for_port(80)
    m.log("/var/log/syslog")
    acts.basic_password(m, 80, like_challenge=True)
    acts.web_pages(m, 80)
    for visitor in m.abusers:
        with m.act(visitor, "a denied place"):
            visitor.http("/denied/")
        with m.act(visitor, "a request that is never finished", settle=4):
            visitor.talk(80, b"GET / HTTP/1.1\r\nHost:", greeting=False, timeout=4)
