"""coturn: its log; `ADDRESS:port` as `remote …` since 4.5, the failure as `401` on another line of the same session."""

PACKAGES = ["coturn"]
FILTERS = ["coturn"]
NOISE = r"usage:|TCP socket closed|tcp or tls connected to: .*\n"


def run(m):
    m.start("turnserver -n --listening-port 3478 --listening-ip 198.51.100.1 --listening-ip 2001:db8:78::1 --realm example.test --user alice:right "
            "--lt-cred-mech --verbose --simple-log --log-file /var/log/turn.log --pidfile /run/turn.pid")
    m.wait_for_port(3478, "udp")
    m.log("/var/log/turn.log")

    def allocate(visitor, user, password):
        visitor.run(f"timeout 6 turnutils_uclient -t -n 1 -m 1 -y -u '{user}' -w {password} {{server}}")

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=4):
            allocate(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            allocate(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            allocate(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            allocate(visitor, "x>, remote 203.0.113.9:1 error 401", "wrong")
