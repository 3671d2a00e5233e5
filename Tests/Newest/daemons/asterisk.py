"""Asterisk with PJSIP: `messages`, and the log level `security` (SecurityEvent="InvalidPassword",…,RemoteAddress="IPV4/UDP/ADDR/port")."""

import sip

PACKAGES = ["asterisk"]
FILTERS = ["asterisk"]


def run(m):
    m.write("/etc/asterisk/logger.conf", "[general]\ndateformat=%F %T.%3q\n[logfiles]\nmessages.log => notice,warning,error\nsecurity.log => security\n")
    m.write("/etc/asterisk/modules.conf", "[modules]\nautoload=yes\nnoload => chan_sip.so\n")
    m.write("/etc/asterisk/pjsip.conf", """
[v4]
type=transport
protocol=udp
bind=0.0.0.0
[v6]
type=transport
protocol=udp
bind=[::]
[alice]
type=endpoint
context=default
auth=alice
aors=alice
[alice]
type=auth
auth_type=userpass
username=alice
password=right
[alice]
type=aor
max_contacts=5
""")
    m.write("/etc/asterisk/manager.conf", "[general]\nenabled=yes\nport=5038\nbindaddr=::\n[admin]\nsecret=right\nread=all\n")
    m.run("mkdir -p /run/asterisk /var/log/asterisk; rm -f /var/log/asterisk/*.log")
    m.start("asterisk -f -C /etc/asterisk/asterisk.conf")
    m.wait_for_port(5060, "udp", timeout=60)
    m.wait_for_port(5038)
    m.log("/var/log/asterisk/messages.log")
    m.log("/var/log/asterisk/security.log", "security")
    for visitor in m.honest:
        with m.act(visitor, "registers", user="alice"):
            sip.register(visitor, "alice", "right")
        with m.act(visitor, "manager, right password", user="admin"):
            visitor.talk(5038, "Action: Login\r\nUsername: admin\r\nSecret: right\r\n", "Action: Logoff\r\n")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            sip.register(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            sip.register(visitor, "mallory", "wrong")
        with m.act(visitor, "a call without registration"):
            sip.invite(visitor, "00442012345678")
        with m.act(visitor, "manager, wrong password", user="admin"):
            visitor.talk(5038, "Action: Login\r\nUsername: admin\r\nSecret: wrong\r\n")
        with m.act(visitor, "manager, unknown name", user="mallory"):
            visitor.talk(5038, "Action: Login\r\nUsername: mallory\r\nSecret: wrong\r\n")
        with m.act(visitor, "forged: a name with another address", forged=True):
            sip.register(visitor, "x' failed for '203.0.113.9:5060' - Wrong password", "wrong")
