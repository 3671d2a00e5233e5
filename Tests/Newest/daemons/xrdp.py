"""xrdp: xrdp.log and xrdp-sesman.log; `AUTHFAIL: user=alice ip=ADDRESS time=…` is sesman's."""

PACKAGES = ["xrdp", "freerdp3-x11", "xvfb"]
FILTERS = ["xrdp"]


def run(m):
    m.add_user("alice")
    m.run("mkdir -p /run/xrdp/sockdir; sed -i 's/^#*EnableSyslog=.*/EnableSyslog=false/; s/^LogLevel=.*/LogLevel=INFO/' /etc/xrdp/xrdp.ini /etc/xrdp/sesman.ini; "
          "[ -e /etc/xrdp/rsakeys.ini ] || xrdp-keygen xrdp /etc/xrdp/rsakeys.ini; chmod 644 /etc/xrdp/*.pem /etc/ssl/private/ssl-cert-snakeoil.key; chmod 755 /etc/ssl/private; chgrp -R xrdp /etc/xrdp", check=False)
    m.start("xrdp-sesman --nodaemon")
    m.start("xrdp --nodaemon")
    m.wait_for_port(3389)
    m.start("Xvfb :9 -screen 0 800x600x24")
    m.log("/var/log/xrdp.log")
    m.log("/var/log/xrdp-sesman.log", "sesman")

    def login(visitor, user, password):
        visitor.run(f"DISPLAY=:9 timeout 9 xfreerdp3 /v:{visitor.url_host} '/u:{user}' /p:{password} /cert:ignore /sec:tls +auth-only 2>&1; "
                    f"DISPLAY=:9 timeout 9 xfreerdp3 /v:{visitor.url_host} '/u:{user}' /p:{password} /cert:ignore /sec:tls 2>&1", timeout=25)

    for visitor in m.honest[:1]:
        with m.act(visitor, "right password", user="alice", settle=5):
            login(visitor, "alice", "right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=5):
            login(visitor, "alice", "wrong")
        with m.act(visitor, "unknown name", user="mallory", settle=5):
            login(visitor, "mallory", "wrong")
        with m.act(visitor, "no RDP", neutral=True, settle=3):
            visitor.talk(3389, "GET / HTTP/1.0", "", greeting=False, timeout=3)
        with m.act(visitor, "connect and close", neutral=True, settle=3):
            visitor.connect(3389).close()
