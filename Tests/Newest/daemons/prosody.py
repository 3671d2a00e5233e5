"""Prosody: says nothing of a failed login at info; mod_log_auth (prosody-modules) brings the line with the address."""

import xmpp

PACKAGES = ["prosody", "prosody-modules"]
FILTERS = ["prosody"]


def run(m):
    m.write("/etc/prosody/prosody.cfg.lua", """
plugin_paths = { "/usr/lib/prosody/modules" }
modules_enabled = { "saslauth", "disco", "roster", "log_auth" }
authentication = "internal_hashed"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
c2s_ports = { 5222 }
interfaces = { "0.0.0.0", "::" }
log = { info = "/var/log/prosody/prosody.log" }
VirtualHost "example.test"
""")
    m.run("mkdir -p /run/prosody; chown prosody: /run/prosody /var/log/prosody /var/lib/prosody; become prosody sh -c 'prosodyctl register alice example.test right'")
    m.start("become prosody sh -c 'exec prosody -F'")
    m.wait_for_port(5222)
    m.log("/var/log/prosody/prosody.log")
    xmpp.visits(m)
