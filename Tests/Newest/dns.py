"""DNS queries by hand."""

import struct


def query(name, kind=1, klass=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    return struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, klass)


def ask(visitor, name, kind=1, klass=1, tcp=False):
    message = query(name, kind, klass)
    if tcp:
        return visitor.talk(53, struct.pack(">H", len(message)) + message, greeting=False, timeout=3)
    return visitor.send_datagram(53, message)


def visits(m, zone="example.test"):
    for visitor in m.honest:
        with m.act(visitor, "asks for a name of the zone"):
            ask(visitor, f"www.{zone}")
        with m.act(visitor, "asks for a name of the zone that is not there"):
            ask(visitor, f"nothing.{zone}")
    for visitor in m.abusers:
        with m.act(visitor, "recursion for somebody else's name"):
            ask(visitor, "victim.invalid.test")
        with m.act(visitor, "ANY over TCP for somebody else's name"):
            ask(visitor, "victim.invalid.test", 255, tcp=True)
        with m.act(visitor, "zone transfer"):
            ask(visitor, zone, 252, tcp=True)
        with m.act(visitor, "version.bind", neutral=True):
            ask(visitor, "version.bind", 16, 3)
        with m.act(visitor, "forged: a name with another address", forged=True):
            ask(visitor, "x#1 (203-0-113-9): query 'a' denied client 203.0.113.9#53")
        with m.act(visitor, "no DNS", neutral=True):
            visitor.send_datagram(53, b"\xff" * 30)
