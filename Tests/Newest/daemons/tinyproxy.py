"""Tinyproxy: its log; `Unauthorized connection from "ADDRESS"`, `Failed to authenticate user from …`, requests joined by pid or number."""

import base64

PACKAGES = ["tinyproxy-bin"]
FILTERS = ["tinyproxy"]

SETTINGS = """
Port 8888
Listen 0.0.0.0
Listen ::
Timeout 10
LogFile "/var/log/tinyproxy.log"
LogLevel Info
MaxClients 20
{access}
"""


def run(m):
    m.write("/etc/tinyproxy/auth.conf", SETTINGS.format(access="BasicAuth alice right\nConnectPort 443\n"))
    m.write("/etc/tinyproxy/acl.conf", SETTINGS.replace("8888", "8889").replace("tinyproxy.log", "acl.log").format(access="Allow 198.51.100.3\nAllow 2001:db8:78::3\n"))
    m.start("tinyproxy -d -c /etc/tinyproxy/auth.conf")
    m.start("tinyproxy -d -c /etc/tinyproxy/acl.conf")
    m.wait_for_port(8888)
    m.wait_for_port(8889)
    m.log("/var/log/tinyproxy.log")
    m.log("/var/log/acl.log", "acl")

    def ask(visitor, pair=None, url="http://127.0.0.1:81/", method="GET"):
        headers = ["Proxy-Authorization: Basic " + base64.b64encode(pair.encode()).decode()] if pair else []
        visitor.http(url, method=method, port=8888, headers=headers)

    for visitor in m.honest:
        with m.act(visitor, "the challenge: no password yet"):
            ask(visitor)
        with m.act(visitor, "right password"):
            ask(visitor, "alice:right")
        with m.act(visitor, "an address that is allowed"):
            visitor.http("http://127.0.0.1:81/", port=8889)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password"):
            ask(visitor, "alice:wrong")
        with m.act(visitor, "an address that is not allowed"):
            visitor.http("http://127.0.0.1:81/", port=8889)
        with m.act(visitor, "CONNECT to a mail server, no password", neutral=True):
            ask(visitor, None, "203.0.113.9:25", "CONNECT")
        with m.act(visitor, "no HTTP"):
            visitor.talk(8888, b"\x05\x01\x00\r\n\r\n", greeting=False)
        with m.act(visitor, "forged: a request line of its own", forged=True):
            visitor.http('http://x/"203.0.113.9"', port=8889, host='Unauthorized connection from "203.0.113.9" [203.0.113.9]')
