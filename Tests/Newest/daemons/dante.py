"""Dante (danted): `block(1): tcp/accept ]: … ADDRESS.port …: error …`; port glued to the address with a dot."""

PACKAGES = ["dante-server"]
FILTERS = ["dante"]

SETTINGS = """
logoutput: /var/log/danted.log
internal: 0.0.0.0 port = 1080
internal: :: port = 1080
external: lo
socksmethod: username
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0/0 to: 0/0 log: error connect disconnect }
client pass { from: ::/0 to: ::/0 log: error connect disconnect }
socks pass { from: 0/0 to: 0/0 log: error connect disconnect }
"""


def run(m):
    m.add_user("alice")
    m.write("/etc/danted.conf", SETTINGS)
    m.start("danted -f /etc/danted.conf")
    m.wait_for_port(1080)
    m.log("/var/log/danted.log")

    def login(visitor, user, password):
        request = b"\x01" + bytes([len(user)]) + user.encode() + bytes([len(password)]) + password.encode()
        visitor.talk(1080, b"\x05\x01\x02", request, b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x51", greeting=False, timeout=4)

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "no method offered that is accepted", settle=4):
            visitor.talk(1080, b"\x05\x01\x00", greeting=False, timeout=3)
        with m.act(visitor, "HTTP on the SOCKS port", settle=4):
            visitor.talk(1080, "GET / HTTP/1.0", "", greeting=False, timeout=3)
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "x ]: 203.0.113.9.1 198.51.100.1.1080: error", "wrong")
