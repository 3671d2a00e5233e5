"""ngIRCd: syslog; `User "nick!~user@HOST" rejected (connection 9): Bad server password!`."""

PACKAGES = ["ngircd"]
FILTERS = ["ngircd"]


def run(m):
    m.write("/etc/ngircd/ngircd.conf", """
[Global]
Name = server.example.test
Info = test
Ports = 6667
Listen = 0.0.0.0,::
Password = right
ServerUID = irc
ServerGID = irc
[Options]
PAM = no
Ident = no
DNS = no
[Operator]
Name = admin
Password = right
""")
    m.start_syslog()
    m.start("ngircd -n -f /etc/ngircd/ngircd.conf | logger -t ngircd")
    m.wait_for_port(6667)
    m.log("/var/log/syslog")
    irc_visits(m, "right", 6667)


def irc_visits(m, password, port):
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            visitor.talk(port, f"PASS {password}", "NICK alice\r\nUSER alice 0 * :Alice", "QUIT", greeting=False, timeout=4)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="mallory", settle=4):
            visitor.talk(port, "PASS wrong", "NICK mallory\r\nUSER mallory 0 * :x", greeting=False, timeout=4)
        with m.act(visitor, "no password", user="mallory", settle=4):
            visitor.talk(port, "NICK mallory\r\nUSER mallory 0 * :x", greeting=False, timeout=4)
        with m.act(visitor, "operator, wrong password", user="admin", settle=4):
            visitor.talk(port, f"PASS {password}", "NICK eve\r\nUSER eve 0 * :x", "OPER admin wrong", "QUIT", greeting=False, timeout=4)
        with m.act(visitor, "forged: an operator's name with another address", forged=True, settle=4):
            visitor.talk(port, f"PASS {password}", "NICK eve\r\nUSER eve 0 * :x", 'OPER a!b@203.0.113.9 wrong', "QUIT", greeting=False, timeout=4)
        with m.act(visitor, "no IRC", neutral=True, settle=4):
            visitor.talk(port, "GET / HTTP/1.0", "", greeting=False, timeout=3)
