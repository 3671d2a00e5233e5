"""Cockpit: PAM's line in auth.log, `pam_unix(cockpit:auth): authentication failure; … rhost=ADDRESS`."""

PACKAGES = ["cockpit-ws", "cockpit-bridge", "cockpit-system", "systemd"]
FILTERS = ["pam"]


def run(m):
    m.add_user("alice")
    m.start_syslog()
    # systemd's socket cockpit-session, by hand.
    m.run("mkdir -p /run/cockpit")
    m.start("systemd-socket-activate -l /run/cockpit/session -a --inetd $(ls /usr/lib/cockpit/cockpit-session /usr/libexec/cockpit-session 2>/dev/null | head -1)")
    m.start("/usr/lib/cockpit/cockpit-ws --no-tls --port 9090 || /usr/libexec/cockpit-ws --no-tls --port 9090", log="/var/log/cockpit.out")
    m.wait_for_port(9090)
    m.log("/var/log/syslog")
    m.log("/var/log/cockpit.out", "stderr")

    def login(visitor, user, password, **more):
        visitor.http("/cockpit/login", user=user, password=password, port=9090, **more)

    for visitor in m.honest:
        with m.act(visitor, "the login page"):
            visitor.http("/", port=9090)
        with m.act(visitor, "right password", user="alice", settle=4):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: X-Forwarded-For names another address", user="alice", forged=True, settle=4):
            login(visitor, "alice", "wrong", headers=["X-Forwarded-For: 203.0.113.9"])
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "x rhost=203.0.113.9", "wrong")
