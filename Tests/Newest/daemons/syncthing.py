"""Syncthing's web page: its log says the failure with the address at level warning; `AuditEvent`s say more."""

PACKAGES = ["syncthing"]
FILTERS = ["syncthing"]


def run(m):
    m.run("HOME=/tmp/st syncthing generate --home=/tmp/st --gui-user=alice --gui-password=right")
    m.run("sed -i 's#<address>127.0.0.1:8384</address>#<address>[::]:8384</address>#; s#<insecureSkipHostcheck>false#<insecureSkipHostcheck>true#' /tmp/st/config.xml")
    m.start("HOME=/tmp/st STNORESTART=1 exec syncthing serve --home=/tmp/st --no-browser --no-restart --gui-address='[::]:8384'", log="/var/log/syncthing.log")
    m.wait_for_port(8384, timeout=60)
    m.log("/var/log/syncthing.log")

    def login(visitor, user, password):
        page = visitor.http("/", port=8384)
        visitor.http("/rest/noauth/auth/password", "POST", body='{"username": "%s", "password": "%s", "stayLoggedIn": false}' % (user, password),
                     port=8384, headers=["Content-Type: application/json"])
        return page

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "basic authentication, wrong password", user="alice", settle=4):
            visitor.http("/rest/system/status", user="alice", password="wrong", port=8384)
        with m.act(visitor, "wrong API key", settle=4):
            visitor.http("/rest/system/status", headers=["X-API-Key: wrong"], port=8384)
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "x\\nremoteAddress=203.0.113.9 y", "wrong")
