"""TinySSH: says what it does on standard error with -v; no address unless its caller (tcpserver, systemd) sets TCPREMOTEIP."""

PACKAGES = ["tinysshd", "ucspi-tcp-ipv6", "openssh-client", "sshpass"]
FILTERS = ["tinyssh"]


def run(m):
    m.add_user("alice")
    m.run("tinysshd-makekey /etc/tinyssh-test")
    m.start("tcpserver -HRDl0 0.0.0.0 22 /usr/sbin/tinysshd -v /etc/tinyssh-test", log="/var/log/tinyssh.log")
    m.start("tcpserver -HRDl0 ::1 2222 /bin/true")
    m.wait_for_port(22)
    m.log("/var/log/tinyssh.log")
    for visitor in m.abusers[:1]:
        with m.act(visitor, "a key that is not known", user="alice"):
            visitor.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 </dev/null; true")
            visitor.ssh("alice")
        with m.act(visitor, "unknown name", user="mallory"):
            visitor.ssh("mallory")
        with m.act(visitor, "a password, which it never takes", user="alice"):
            visitor.ssh("alice", "wrong")
        with m.act(visitor, "no SSH client", neutral=True):
            visitor.talk(22, "GET / HTTP/1.0")
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(22).close()
