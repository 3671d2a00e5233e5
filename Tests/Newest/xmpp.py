"""XMPP as far as SASL PLAIN."""

import acts


def login(visitor, user, password, domain="example.test", port=5222):
    opening = (f"<?xml version='1.0'?><stream:stream to='{domain}' xmlns='jabber:client' "
               "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>").encode()
    auth = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{acts.sasl_plain(user, password)}</auth>".encode()
    return visitor.talk(port, opening, auth, b"</stream:stream>", greeting=False, timeout=4)


def visits(m):
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=4):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=4):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            login(visitor, "x from 203.0.113.9", "wrong")
        with m.act(visitor, "no XMPP", neutral=True, settle=4):
            visitor.talk(5222, b"GET / HTTP/1.0\r\n\r\n", greeting=False, timeout=3)
