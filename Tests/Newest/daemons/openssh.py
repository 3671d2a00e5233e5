"""OpenSSH: syslog, facility auth; the address stands on every line of interest."""

PACKAGES = ["openssh-server", "openssh-client", "sshpass"]
FILTERS = ["sshd"]


def run(m):
    m.add_user("alice")
    m.add_user("denied")
    m.start_syslog()
    m.run("ssh-keygen -A; mkdir -p /run/sshd")
    m.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    m.write("/etc/ssh/sshd_config.d/test.conf", "DenyUsers denied\nLoginGraceTime 4\nUseDNS no\nPerSourcePenalties no\n")
    m.start("/usr/sbin/sshd -D")
    m.wait_for_port(22)
    m.start("/usr/sbin/sshd -D -p 2222 -o PerSourcePenalties='authfail:30s noauth:30s min:10s' -o PidFile=none")
    m.wait_for_port(2222)
    m.log("/var/log/syslog")
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            visitor.ssh("alice", "right")
        with m.act(visitor, "a key that is not known, then the right password", user="alice"):
            visitor.ssh("alice", "right", options="-o PubkeyAuthentication=yes -o PreferredAuthentications=publickey,password")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            visitor.ssh("alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            visitor.ssh("mallory", "wrong")
        with m.act(visitor, "root, wrong password", user="root"):
            visitor.ssh("root", "wrong")
        with m.act(visitor, "name in DenyUsers, right password", user="denied"):
            visitor.ssh("denied", "right")
        with m.act(visitor, "unknown key, no password", user="mallory"):
            visitor.ssh("mallory")
        with m.act(visitor, "no SSH client"):
            visitor.talk(22, "GET / HTTP/1.0")
        with m.act(visitor, "forged: a name with another address", user="root from 203.0.113.9 port 22 ssh2", forged=True):
            visitor.ssh("root from 203.0.113.9 port 22 ssh2", "wrong")
        with m.act(visitor, "no banner sent within LoginGraceTime", settle=7):
            connection = visitor.connect(22)
            connection.settimeout(6)
            try:
                while connection.recv(1000):
                    pass
            except OSError:
                pass
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(22).close()
        with m.act(visitor, "four wrong passwords, until sshd itself refuses for a while", user="alice", settle=3):
            for _ in range(4):
                visitor.ssh("alice", "wrong", port=2222)
