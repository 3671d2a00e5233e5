"""Dovecot 2.4: syslog, facility mail; a wrong password is logged when the connection ends, up to 15 s late."""

PACKAGES = ["dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-managesieved", "openssl"]
FILTERS = ["dovecot"]

SETTINGS = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap pop3 sieve
ssl = yes
ssl_server_cert_file = /etc/ssl/test/cert.pem
ssl_server_key_file = /etc/ssl/test/key.pem
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
passdb pam {
}
userdb passwd {
}
# Otherwise each failure waits up to 15 seconds longer than the one before.
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""


def run(m):
    m.add_user("alice")
    m.make_certificate()
    m.write("/etc/dovecot/dovecot.conf", SETTINGS)
    m.start_syslog()
    m.start("dovecot -F")
    for port in (143, 993, 110, 4190):
        m.wait_for_port(port)
    m.log("/var/log/syslog")
    for visitor in m.honest:
        with m.act(visitor, "IMAP, right password", user="alice"):
            visitor.talk(143, "a login alice right", "b logout")
        with m.act(visitor, "POP3, mistyped once, then right", user="alice", settle=3):
            visitor.talk(110, "user alice", "pass rihgt", "user alice", "pass right", "quit")
        with m.act(visitor, "a look at the capabilities", settle=3):
            visitor.talk(143, "a capability", "b logout")
    for visitor in m.abusers:
        with m.act(visitor, "IMAP, wrong password", user="alice", settle=4):
            visitor.talk(143, "a login alice wrong", "b logout")
        with m.act(visitor, "IMAP over TLS, unknown name", user="mallory", settle=4):
            visitor.talk(993, "a login mallory wrong", "b logout", tls=True)
        with m.act(visitor, "POP3, wrong password, hangs up", user="alice", settle=4):
            visitor.talk(110, "user alice", "pass wrong")
        with m.act(visitor, "ManageSieve, wrong password", user="alice", settle=4):
            visitor.talk(4190, 'AUTHENTICATE "PLAIN" "AGFsaWNlAHdyb25n"', "LOGOUT")
        with m.act(visitor, "four wrong passwords on one connection", user="alice", settle=4):
            visitor.talk(143, *[f"a{i} login alice wrong{i}" for i in range(4)], "b logout", timeout=25)
        with m.act(visitor, "forged: a name with another address", user="x>, rip=203.0.113.9", forged=True, settle=4):
            visitor.talk(143, 'a login "x>, method=PLAIN, rip=203.0.113.9, lip=198.51.100.1" wrong', "b logout")
        with m.act(visitor, "no IMAP client", settle=4):
            visitor.talk(143, *["GET / HTTP/1.0"] * 12)
        with m.act(visitor, "TLS port, no TLS", neutral=True, settle=4):
            visitor.talk(993, "GET / HTTP/1.0", greeting=False)
        with m.act(visitor, "connect and close", neutral=True, settle=3):
            visitor.connect(143).close()
