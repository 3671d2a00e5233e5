"""OpenSMTPD: syslog; `smtp authentication user=alice address=… host=… result=permfail`, one line after `smtp connected`."""

import acts

PACKAGES = ["opensmtpd", "openssl"]
FILTERS = ["opensmtpd"]

SETTINGS = """
pki test cert "/etc/ssl/test/cert.pem"
pki test key "/etc/ssl/test/key.pem"
table aliases file:/etc/aliases
listen on 0.0.0.0 port 25 tls pki test auth-optional
listen on :: port 25 tls pki test auth-optional
action "in" maildir alias <aliases>
action "out" relay
match from any for domain "example.test" action "in"
match from any auth for any action "out"
"""


def run(m):
    m.add_user("alice")
    m.make_certificate()
    m.write("/etc/smtpd.conf", SETTINGS)
    m.write("/etc/aliases", "root: alice\n")
    m.start_syslog()
    m.start("smtpd -F -f /etc/smtpd.conf")
    m.wait_for_port(25)
    m.log("/var/log/syslog")
    acts.smtp(m)
    for visitor in m.abusers:
        with m.act(visitor, "over TLS, wrong password", user="alice", settle=5):
            visitor.talk(25, "EHLO x", f"AUTH PLAIN {acts.sasl_plain('alice', 'wrong')}", "QUIT", before_tls=("EHLO x", "STARTTLS"))
