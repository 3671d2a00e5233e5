"""ejabberd: `Failed c2s PLAIN authentication for alice@… from ::ffff:ADDRESS: …`, level warning."""

import xmpp

PACKAGES = ["ejabberd"]
FILTERS = ["ejabberd"]


def run(m):
    m.write("/etc/ejabberd/ejabberd.yml", """
hosts: [example.test]
loglevel: info
listen:
  - port: 5222
    ip: "::"
    module: ejabberd_c2s
    starttls: false
auth_method: internal
modules: {mod_fail2ban: {c2s_max_auth_failures: 30}, mod_roster: {}}
""")
    m.write("/etc/default/ejabberd", "ERLANG_NODE=ejabberd@localhost\n")
    m.run("mkdir -p /run/ejabberd; chown -R ejabberd: /run/ejabberd /var/log/ejabberd /var/lib/ejabberd /etc/ejabberd")
    m.start("ejabberdctl foreground")
    m.wait_for_port(5222, timeout=90)
    m.run("ejabberdctl register alice example.test right", timeout=60)
    m.log("/var/log/ejabberd/ejabberd.log")
    xmpp.visits(m)
