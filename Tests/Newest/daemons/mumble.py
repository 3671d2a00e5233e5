"""Mumble server: its log; `<3:(-1)> Rejected connection from ADDRESS:port: Wrong server password`."""

import struct

PACKAGES = ["mumble-server", "openssl"]
FILTERS = ["mumble"]


def run(m):
    m.write("/etc/mumble-test.ini", "database=/tmp/mumble.sqlite\nlogfile=/var/log/mumble.log\nport=64738\nserverpassword=right\nusers=10\nautobanAttempts=100\n")
    m.start("$(command -v mumble-server || command -v murmurd) -fg -ini /etc/mumble-test.ini")
    m.wait_for_port(64738)
    m.log("/var/log/daemon.out")

    def login(visitor, user, password):
        """Mumble's protocol: Version (0), then Authenticate (2), as protocol buffers."""
        def field(number, data):
            return bytes([number << 3 | 2, len(data)]) + data

        def message(kind, data):
            return struct.pack(">HI", kind, len(data)) + data

        version = b"\x08" + b"\x80\x8c\x04" + field(2, b"1.5.0")
        visitor.talk(64738, message(0, version) + message(2, field(1, user.encode()) + field(2, password.encode())), tls=True, greeting=False, timeout=3)

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="mallory", settle=3):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "SuperUser, wrong password", user="SuperUser", settle=3):
            login(visitor, "SuperUser", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=3):
            login(visitor, "x(-1)> Rejected connection from 203.0.113.9:1: Wrong server password", "wrong")
        with m.act(visitor, "no TLS", neutral=True, settle=3):
            visitor.talk(64738, "GET / HTTP/1.0", greeting=False, timeout=3)
