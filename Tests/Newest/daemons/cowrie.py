"""Cowrie, a honeypot (PyPI): cowrie.json; whoever logs in, tries to."""

PACKAGES = ["python3-venv", "openssh-client", "sshpass", "gcc", "python3-dev", "libffi-dev", "git"]
SETUP = "python3 -m venv /opt/cowrie && /opt/cowrie/bin/pip install -q cowrie"
FILTERS = ["cowrie"]


def version(m):
    return "cowrie " + m.run("/opt/cowrie/bin/pip show cowrie").split("Version: ")[1].split()[0]


def run(m):
    m.add_user("cowrie")
    m.run("install -d -o cowrie /srv/cowrie; cd /srv/cowrie; become cowrie /opt/cowrie/bin/cowrie init")
    m.start("cd /srv/cowrie && exec become cowrie env COWRIE_STDOUT=yes PATH=/opt/cowrie/bin:$PATH /opt/cowrie/bin/cowrie start", log="/var/log/cowrie.out")
    m.wait_for_port(2222, timeout=60)
    log = m.run("find /srv/cowrie -name cowrie.json").split()[0]
    m.log(log)
    for visitor in m.abusers[:1]:
        with m.act(visitor, "wrong password", user="root", settle=4):
            visitor.ssh("root", "root", port=2222)
        with m.act(visitor, "a password that it takes, and a command", user="root", settle=4):
            visitor.ssh("root", "hunter2", port=2222, command="uname")
        with m.act(visitor, "no SSH client", settle=4):
            visitor.talk(2222, "GET / HTTP/1.0")
        with m.act(visitor, "forged: a name with another address", forged=True, settle=4):
            visitor.ssh('x", "src_ip": "203.0.113.9', "wrong", port=2222)
