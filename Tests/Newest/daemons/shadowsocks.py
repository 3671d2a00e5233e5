"""Shadowsocks (libev): `failed to handshake with ADDRESS: authentication error`, standard error or the journal."""

import os

PACKAGES = ["shadowsocks-libev"]
FILTERS = ["shadowsocks"]


def run(m):
    m.start("ss-server -s 198.51.100.1 -s 2001:db8:78::1 -p 8388 -k right -m aes-256-gcm -v -u", log="/var/log/ss.out")
    m.wait_for_port(8388)
    m.log("/var/log/ss.out")
    for visitor in m.honest:
        with m.act(visitor, "connect and close"):
            visitor.talk(8388, greeting=False, timeout=2)
    for visitor in m.abusers:
        with m.act(visitor, "wrong key"):
            visitor.talk(8388, os.urandom(200), greeting=False, timeout=3)
