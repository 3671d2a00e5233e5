"""telnetd and login: syslog, `FAILED LOGIN (1) on '/dev/pts/0' from 'HOST' FOR 'alice', …` and PAM's rhost."""

import time

PACKAGES = ["inetutils-telnetd", "inetutils-inetd", "login"]
FILTERS = ["telnetd", "login", "pam"]


def run(m):
    m.add_user("alice")
    m.start_syslog()
    m.write("/etc/inetd.conf", "telnet stream tcp4 nowait root /usr/sbin/telnetd telnetd -h\ntelnet stream tcp6only nowait root /usr/sbin/telnetd telnetd -h\n")
    m.run("[ -e /etc/securetty ] || true; grep -q telnet /etc/services || echo 'telnet 23/tcp' >> /etc/services; ls /usr/sbin/telnetd")
    m.start("inetutils-inetd -d /etc/inetd.conf")
    m.wait_for_port(23)
    m.log("/var/log/syslog")

    def login(visitor, *pairs):
        """Says no to every option (RFC 854), then answers the questions."""
        try:
            with visitor.connect(23) as connection:
                connection.settimeout(6)
                for answer in [text for pair in pairs for text in pair]:
                    _until(connection, (b"login: ", b"assword: "))
                    connection.sendall(answer.encode() + b"\r\0")
                _until(connection, (b"login: ", b"$ "))
        except OSError:
            pass

    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=4):
            login(visitor, ("alice", "right"))
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=5):
            login(visitor, ("alice", "wrong"))
        with m.act(visitor, "unknown name", user="mallory", settle=5):
            login(visitor, ("mallory", "wrong"))
        with m.act(visitor, "root", user="root", settle=5):
            login(visitor, ("root", "wrong"))
        with m.act(visitor, "forged: a name with another address", forged=True, settle=5):
            login(visitor, ("x FROM 203.0.113.9", "wrong"))
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(23).close()


def _until(connection, ends):
    received, deadline = b"", time.monotonic() + 8
    while not received.endswith(ends) and time.monotonic() < deadline:
        part = connection.recv(4096)
        if not part:
            raise OSError("closed")
        for i in range(len(part) - 2):
            if part[i] == 255 and part[i + 1] in (251, 252, 253, 254):
                connection.sendall(bytes([255, 254 if part[i + 1] < 253 else 252, part[i + 2]]))
        received += part
