"""Courier IMAP and POP3: syslog; `LOGIN FAILED, user=alice, ip=[::ffff:ADDRESS], port=[…]`."""

import acts

PACKAGES = ["courier-imap", "courier-pop", "courier-authdaemon"]
FILTERS = ["courier"]


def run(m):
    m.add_user("alice")
    m.run("su alice -c 'maildirmake.courier ~/Maildir || maildirmake ~/Maildir'")
    m.start_syslog()
    m.run("mkdir -p /run/courier/authdaemon; chown -R courier:courier /run/courier; "
          "/usr/sbin/authdaemond start; /usr/lib/courier/imapd start; /usr/lib/courier/pop3d start")
    m.wait_for_port(143)
    m.log("/var/log/syslog")
    acts.imap(m, settle=8)
    for visitor in m.abusers:
        with m.act(visitor, "POP3, wrong password", user="alice", settle=8):
            visitor.talk(110, "USER alice", "PASS wrong", "QUIT")
