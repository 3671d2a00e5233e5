"""Postfix: syslog, facility mail. AUTH through Dovecot; postscreen on a port of its own."""

import acts

PACKAGES = ["postfix", "dovecot-core", "dovecot-imapd", "openssl"]
FILTERS = ["postfix"]

DOVECOT = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap
ssl = no
auth_allow_cleartext = yes
passdb pam {
}
userdb passwd {
}
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
"""

MAIN = """
compatibility_level = 3.9
myhostname = server.example.test
mydestination = example.test, localhost
mynetworks = 127.0.0.0/8
inet_protocols = all
maillog_file =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/ssl/test/cert.pem
smtpd_tls_key_file = /etc/ssl/test/key.pem
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_non_fqdn_sender
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 3
smtpd_hard_error_limit = 5
disable_vrfy_command = yes
postscreen_greet_action = enforce
postscreen_greet_wait = 2s
"""


def run(m):
    m.add_user("alice")
    m.make_certificate()
    m.write("/etc/dovecot/dovecot.conf", DOVECOT)
    m.write("/etc/postfix/main.cf", MAIN)
    m.write("/etc/aliases", "postmaster: root\n")
    m.run("cd /etc/postfix; [ -e master.cf ] || cp /usr/share/postfix/master.cf.dist master.cf; newaliases; postfix check")
    m.run("postconf -F '*/*/chroot=n'; postconf -M 2525/inet='2525 inet n - n - 1 postscreen' smtpd/pass='smtpd pass - - n - - smtpd' dnsblog/unix='dnsblog unix - - n - 0 dnsblog'")
    m.start_syslog()
    m.start("dovecot -F")
    m.start("postfix start-fg")
    m.wait_for_port(25)
    m.wait_for_port(2525)
    m.log("/var/log/syslog")
    acts.smtp(m)
    for visitor in m.abusers:
        with m.act(visitor, "talks before the greeting, to postscreen", settle=4):
            visitor.talk(2525, b"EHLO x\r\nMAIL FROM:<a@b.test>\r\n", greeting=False)
