"""Acts that many daemons have in common."""

import base64

FORGED_USER = "x from 203.0.113.9 port 22"
# Paths that scanners ask for and no visitor does.
PROBES = ["/.env", "/.git/config", "/wp-login.php", "/cgi-bin/.%2e/%2e%2e/etc/passwd", "/index.php?id=1%27%20UNION%20SELECT%201--"]


def basic_password(m, port, path="/secret/", tls=False, hostile=True, like_challenge=False):
    """A path behind HTTP's basic authentication, for alice with the password `right`. `like_challenge`: the log does not tell a
    wrong password from a browser's first request."""
    neutral = {"neutral": True} if like_challenge else {}
    for visitor in m.honest:
        with m.act(visitor, "the challenge: no password yet"):
            visitor.http(path, port=port, tls=tls)
        with m.act(visitor, "right password", user="alice"):
            visitor.http(path, user="alice", password="right", port=port, tls=tls)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", **neutral):
            visitor.http(path, user="alice", password="wrong", port=port, tls=tls)
        with m.act(visitor, "unknown name", user="mallory", **neutral):
            visitor.http(path, user="mallory", password="wrong", port=port, tls=tls)
        if hostile:
            with m.act(visitor, "forged: a name with another address", user=FORGED_USER, forged=True, **neutral):
                visitor.http(path, user=FORGED_USER, password="wrong", port=port, tls=tls)
            with m.act(visitor, "forged: X-Forwarded-For names another address", user="mallory", forged=True, **neutral):
                visitor.http(path, user="mallory", password="wrong", headers=["X-Forwarded-For: 203.0.113.9"], port=port, tls=tls)


def web_pages(m, port, tls=False):
    """What visitors and scanners ask of any web server."""
    for visitor in m.honest:
        with m.act(visitor, "a page"):
            visitor.http("/", port=port, tls=tls)
        with m.act(visitor, "a page that is not there (favicon)"):
            visitor.http("/favicon.ico", port=port, tls=tls)
    for visitor in m.abusers:
        for path in PROBES:
            with m.act(visitor, f"probe {path}"):
                visitor.http(path, port=port, tls=tls)
        with m.act(visitor, "no HTTP"):
            visitor.talk(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", greeting=False, tls=tls)
        with m.act(visitor, "forged: a path with a line of its own", forged=True):
            visitor.http("/x%0a203.0.113.9%20-%20-%20%5b28/Nov/2026%5d%20%22GET%20/.env%20HTTP/1.1%22%20404%200", port=port, tls=tls)
        with m.act(visitor, "scanner's agent", neutral=True):
            visitor.http("/", headers=["User-Agent: sqlmap/1.8"], port=port, tls=tls)
        with m.act(visitor, "open proxy wanted"):
            visitor.http("http://203.0.113.9/", port=port, tls=tls, host="203.0.113.9")
            visitor.http("203.0.113.9:25", method="CONNECT", port=port, tls=tls)


def ftp(m, port=21):
    """FTP, for alice with the password `right`."""
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            visitor.talk(port, "USER alice", "PASS right", "PWD", "QUIT")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=9):
            visitor.talk(port, "USER alice", "PASS wrong", "QUIT")
        with m.act(visitor, "unknown name", user="mallory", settle=9):
            visitor.talk(port, "USER mallory", "PASS wrong", "QUIT")
        with m.act(visitor, "anonymous", user="anonymous", settle=9):
            visitor.talk(port, "USER anonymous", "PASS a@b.test", "QUIT")
        with m.act(visitor, "forged: a name with another address", user="mallory", forged=True, settle=9):
            visitor.talk(port, "USER x] (?@203.0.113.9) [203.0.113.9] FAIL LOGIN: Client \"203.0.113.9\"", "PASS wrong", "QUIT")
        with m.act(visitor, "three wrong passwords on one connection", user="alice", settle=9):
            visitor.talk(port, *["USER alice", "PASS wrong"] * 3, "QUIT", timeout=20)
        with m.act(visitor, "HTTP on the FTP port", neutral=True):
            visitor.talk(port, "GET / HTTP/1.0", "Host: x", "")
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(port).close()


def smtp_hello(name="client.example.test"):
    return f"EHLO {name}"


def sasl_plain(name, password):
    return base64.b64encode(f"\0{name}\0{password}".encode("utf-8", "surrogateescape")).decode()


def smtp(m, port=25, tls_login=True):
    """AUTH, relaying and rubbish, for alice with the password `right`."""
    hello = smtp_hello()
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            visitor.talk(port, hello, f"AUTH PLAIN {sasl_plain('alice', 'right')}", "QUIT")
        with m.act(visitor, "mail for alice"):
            visitor.talk(port, hello, "MAIL FROM:<bob@client.example.test>", "RCPT TO:<alice@example.test>", "DATA",
                         "Subject: x\r\n\r\nx\r\n.", "QUIT")
        with m.act(visitor, "a recipient mistyped", neutral=True):
            visitor.talk(port, hello, "MAIL FROM:<bob@client.example.test>", "RCPT TO:<alcie@example.test>", "QUIT")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=5):
            visitor.talk(port, hello, f"AUTH PLAIN {sasl_plain('alice', 'wrong')}", "QUIT")
        if tls_login:
            with m.act(visitor, "AUTH LOGIN over TLS, unknown name", user="mallory", settle=5):
                visitor.talk(port, hello, "AUTH LOGIN", "bWFsbG9yeQ==", "d3Jvbmc=", "QUIT", before_tls=(hello, "STARTTLS"))
        with m.act(visitor, "wrong password, hangs up", user="alice", settle=5):
            visitor.talk(port, hello, f"AUTH PLAIN {sasl_plain('alice', 'wrong')}")
        with m.act(visitor, "forged: a name with another address", user="x: unknown[203.0.113.9]", forged=True, settle=5):
            name = "x: unknown[203.0.113.9]: SASL PLAIN authentication failed, relay=[203.0.113.9]"
            visitor.talk(port, hello, f"AUTH PLAIN {sasl_plain(name, 'wrong')}", "QUIT")
        with m.act(visitor, "relaying"):
            visitor.talk(port, hello, "MAIL FROM:<a@client.example.test>", "RCPT TO:<b@elsewhere.test>", "QUIT")
        with m.act(visitor, "five unknown recipients"):
            visitor.talk(port, hello, "MAIL FROM:<a@client.example.test>", *[f"RCPT TO:<{i}@example.test>" for i in range(5)], "QUIT")
        with m.act(visitor, "HELO that is no name"):
            visitor.talk(port, "HELO 1@@2", "MAIL FROM:<a@client.example.test>", "RCPT TO:<alice@example.test>", "QUIT")
        with m.act(visitor, "HTTP on the mail port"):
            visitor.talk(port, "GET / HTTP/1.0", "Host: x")
        with m.act(visitor, "VRFY root", neutral=True):
            visitor.talk(port, hello, "VRFY root", "QUIT")
        with m.act(visitor, "too many errors"):
            visitor.talk(port, hello, *["NONSENSE"] * 12)
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(port).close()


def imap(m, port=143, tls=False, settle=8):
    """IMAP, for alice with the password `right`."""
    for visitor in m.honest:
        with m.act(visitor, "IMAP, right password", user="alice", settle=3):
            visitor.talk(port, "a login alice right", "b logout", tls=tls)
    for visitor in m.abusers:
        with m.act(visitor, "IMAP, wrong password", user="alice", settle=settle):
            visitor.talk(port, "a login alice wrong", "b logout", tls=tls)
        with m.act(visitor, "IMAP, unknown name", user="mallory", settle=settle):
            visitor.talk(port, "a login mallory wrong", "b logout", tls=tls)
        with m.act(visitor, "IMAP AUTHENTICATE PLAIN, wrong password", user="alice", settle=settle):
            visitor.talk(port, "a authenticate plain", sasl_plain("alice", "wrong"), "b logout", tls=tls)
        with m.act(visitor, "forged: a name with another address", user="x", forged=True, settle=settle):
            visitor.talk(port, 'a login "x, ip=[203.0.113.9] [203.0.113.9] rip=203.0.113.9" wrong', "b logout", tls=tls)
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(port).close()
