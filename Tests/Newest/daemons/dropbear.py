"""Dropbear: syslog, facility authpriv. Since 2026 an IPv6 address stands in brackets."""

PACKAGES = ["dropbear-bin", "openssh-client", "sshpass"]
FILTERS = ["dropbear"]


def run(m):
    m.add_user("alice")
    m.start_syslog()
    m.run("mkdir -p /etc/dropbear; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    m.start("dropbear -F -R -p 22")
    m.wait_for_port(22)
    m.log("/var/log/syslog")
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice"):
            visitor.ssh("alice", "right")
        with m.act(visitor, "an unknown key first, then the right password", user="alice"):
            visitor.ssh("alice", "right", options="-o PubkeyAuthentication=yes -o PreferredAuthentications=publickey,password")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            visitor.ssh("alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            visitor.ssh("mallory", "wrong")
        with m.act(visitor, "root, wrong password", user="root"):
            visitor.ssh("root", "wrong")
        with m.act(visitor, "only keys that are not known", user="alice", neutral=True):
            visitor.ssh("alice")
        with m.act(visitor, "unknown name, only keys", user="mallory", neutral=True):
            visitor.ssh("mallory")
        with m.act(visitor, "no SSH client", neutral=True):
            visitor.talk(22, "GET / HTTP/1.0")
        with m.act(visitor, "forged: a name with another address", user="root", forged=True):
            visitor.ssh("root' from 203.0.113.9:22", "wrong")
        with m.act(visitor, "connect and close", neutral=True):
            visitor.connect(22).close()
