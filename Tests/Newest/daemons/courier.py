"""Courier IMAP and POP3: syslog; `LOGIN FAILED, user=alice, ip=[::ffff:ADDRESS], port=[…]`."""

import acts

PACKAGES = ["courier-imap", "courier-pop", "courier-authdaemon"]
FILTERS = ["courier"]


def run(m):
    m.add_user("alice")
    m.run("su alice -c 'maildirmake.courier ~/Maildir || maildirmake ~/Maildir'")
    m.start_syslog()
    m.run("mkdir -p /run/courier/authdaemon; chown -R courier:courier /run/courier 2>/dev/null || chown -R daemon:daemon /run/courier; "
          "mkdir -p /etc/skel; /usr/sbin/authdaemond start || /usr/sbin/courierauthd start || "
          "/usr/lib/courier/courier-authlib/authdaemond >/var/log/authdaemond.out 2>&1 </dev/null & sleep 1", check=False)
    m.run("imapd=$(ls /usr/lib/courier/imapd.rc /usr/sbin/imapd 2>/dev/null | head -1); mkdir -p /run/courier; ls /usr/lib/courier /usr/sbin | grep -i -E 'imapd|pop3d|rc' > /var/log/ls.out; "
          "/usr/lib/courier/imapd.rc start || /usr/sbin/imapd.rc start; /usr/lib/courier/pop3d.rc start || true", check=False)
    m.wait_for_port(143)
    m.log("/var/log/syslog")
    acts.imap(m, settle=8)
    for visitor in m.abusers:
        with m.act(visitor, "POP3, wrong password", user="alice", settle=8):
            visitor.talk(110, "USER alice", "PASS wrong", "QUIT")
