"""Deluge: the web page's password; `Login failed (ClientIP ADDRESS)`, level ERROR; the daemon says nothing of its own port."""

PACKAGES = ["deluge-web", "deluged", "python3-setuptools"]
FILTERS = ["deluge-web"]


def run(m):
    m.run("mkdir -p /tmp/deluge")
    m.start("deluge-web -d -c /tmp/deluge -L info -l /var/log/deluge-web.log -i ::")
    m.wait_for_port(8112, timeout=60)
    m.log("/var/log/deluge-web.log")

    def login(visitor, password, headers=()):
        visitor.http("/json", "POST", body='{"method": "auth.login", "params": ["%s"], "id": 1}' % password, port=8112,
                     headers=["Content-Type: application/json", *headers])

    for visitor in m.honest:
        with m.act(visitor, "right password", settle=3):
            login(visitor, "deluge")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", settle=3):
            login(visitor, "wrong")
        with m.act(visitor, "forged: X-Forwarded-For names another address", forged=True, settle=3):
            login(visitor, "wrong", ["X-Forwarded-For: 203.0.113.9"])
