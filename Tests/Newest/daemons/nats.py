"""NATS: `[ERR] ADDRESS:port - cid:5 - authentication error - User "alice"`, standard error or its log."""

PACKAGES = ["nats-server"]
FILTERS = ["nats"]


def run(m):
    m.write("/etc/nats-test.conf", "port: 4222\nlog_file: \"/var/log/nats.log\"\nauthorization { users = [ {user: alice, password: right} ] }\n")
    m.start("nats-server -c /etc/nats-test.conf")
    m.wait_for_port(4222)
    m.log("/var/log/nats.log")

    def login(visitor, user, password):
        user = user.replace('"', '\\"')
        visitor.talk(4222, f'CONNECT {{"verbose":true,"user":"{user}","pass":"{password}"}}', "PING", timeout=3)

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "no name"):
            visitor.talk(4222, "CONNECT {}", "PING", timeout=3)
        with m.act(visitor, "forged: a name with another address", forged=True):
            login(visitor, 'x" [ERR] 203.0.113.9:1 - cid:5 - authentication error - User "y', "wrong")
        with m.act(visitor, "no NATS", neutral=True):
            visitor.talk(4222, "GET / HTTP/1.0", timeout=3)
