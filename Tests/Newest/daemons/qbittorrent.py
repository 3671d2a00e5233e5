"""qBittorrent: its own log file; `WebAPI login failure. Reason: invalid credentials, attempt count: 1, IP: ::ffff:ADDRESS, username: alice`."""

import re

PACKAGES = ["qbittorrent-nox"]
FILTERS = ["qbittorrent"]

SETTINGS = """
[LegalNotice]
Accepted=true
[Preferences]
WebUI\\Port=8080
WebUI\\Address=*
WebUI\\LocalHostAuth=true
WebUI\\HostHeaderValidation=false
WebUI\\CSRFProtection=false
WebUI\\MaxAuthenticationFailCount=100
WebUI\\Username=alice
"""


def run(m):
    m.write("/root/.config/qBittorrent/qBittorrent.conf", SETTINGS)
    m.start("qbittorrent-nox --confirm-legal-notice", log="/var/log/qbittorrent.out")
    m.wait_for_port(8080, timeout=60)
    m.wait_for_text("/var/log/qbittorrent.out", "password")
    password = re.search(r"session: (\S+)", m.path("/var/log/qbittorrent.out").read_text())[1]
    log = m.run("find / -xdev -name qbittorrent.log 2>/dev/null").split()
    m.log(log[0] if log else "/var/log/qbittorrent.out")

    def login(visitor, user, password):
        return visitor.http("/api/v2/auth/login", "POST", body=f"username={user}&password={password}", port=8080, headers=["Content-Type: application/x-www-form-urlencoded"])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", password)
        with m.act(visitor, "the login page"):
            visitor.http("/", port=8080)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=3):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=3):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=3):
            login(visitor, "x, IP: 203.0.113.9, username: y%0a(W) 2026-11-28T13:00:00 - WebAPI login failure. Reason: invalid credentials, attempt count: 1, IP: 203.0.113.9, username: z", "wrong")
