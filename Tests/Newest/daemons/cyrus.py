"""Cyrus IMAP: syslog; `badlogin: HOST [ADDRESS] plaintext alice …`. Passwords by saslauthd, from the shadow file."""

import re

import acts

PACKAGES = ["cyrus-imapd", "cyrus-pop3d", "cyrus-common", "sasl2-bin", "libsasl2-modules"]
FILTERS = ["cyrus"]


def run(m):
    m.add_user("alice")
    text = re.sub(r"(?m)^(sasl_|allowplain|autocreate|unixhier|sasl_mech).*\n", "", m.path("/etc/imapd.conf").read_text())
    m.write("/etc/imapd.conf", text + "\nsasl_pwcheck_method: saslauthd\nsasl_mech_list: PLAIN LOGIN\nallowplaintext: yes\nautocreate_quota: 0\n"
            "autocreate_users: anyone\nunixhierarchysep: yes\n")
    m.write("/etc/cyrus.conf", 'START {\n recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"\n}\nSERVICES {\n'
            ' imap cmd="imapd -U 30" listen="imap" prefork=0 maxchild=100\n imap6 cmd="imapd -U 30" listen="[::]:imap" prefork=0\n'
            ' pop3 cmd="pop3d -U 30" listen="pop3" prefork=0\n}\nEVENTS {\n}\n')
    m.start_syslog()
    m.run("mkdir -p /run/saslauthd /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket; chown -R cyrus:mail /run/cyrus; "
          "usermod -aG sasl cyrus; chgrp sasl /run/saslauthd")
    m.run("saslauthd -a shadow -m /run/saslauthd")
    m.run("install -d -o cyrus -g mail /var/lib/cyrus /var/spool/cyrus; become cyrus sh -c '/usr/sbin/cyrus makedirs' || true", check=False)
    m.start("/usr/sbin/cyrmaster -D -C /etc/imapd.conf -M /etc/cyrus.conf")
    m.wait_for_port(143)
    m.log("/var/log/syslog")
    acts.imap(m)
    for visitor in m.abusers[:1]:
        with m.act(visitor, "POP3, wrong password", user="alice", settle=8):
            visitor.talk(110, "user alice", "pass wrong", "quit")
