"""ZNC: nothing by itself; the module adminlog brings `[alice] failed to login from ADDRESS`, to a file or syslog."""

PACKAGES = ["znc", "openssl"]
FILTERS = ["znc"]


def run(m):
    m.write("/tmp/znc/configs/znc.conf", """Version = 1.9
LoadModule = adminlog
LoadModule = webadmin
<Listener l>
  Port = 6697
  IPv4 = true
  IPv6 = true
  SSL = false
</Listener>
<User alice>
  <Pass password>
    Method = plain
    Hash = right
  </Pass>
  Admin = true
  Nick = alice
</User>
""")
    m.run("chown -R nobody /tmp/znc")
    m.start_syslog()
    m.start("become nobody sh -c 'exec znc -f -d /tmp/znc'")
    m.wait_for_port(6697)
    log = "/tmp/znc/moddata/adminlog/znc.log"
    m.log(log)
    for visitor in m.honest:
        with m.act(visitor, "right password", user="alice", settle=3):
            visitor.talk(6697, "PASS alice:right\r\nNICK alice\r\nUSER alice 0 * :x", "QUIT", greeting=False, timeout=3)
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice", settle=3):
            visitor.talk(6697, "PASS alice:wrong\r\nNICK alice\r\nUSER alice 0 * :x", "QUIT", greeting=False, timeout=3)
        with m.act(visitor, "unknown name", user="mallory", settle=3):
            visitor.talk(6697, "PASS mallory:wrong\r\nNICK alice\r\nUSER alice 0 * :x", "QUIT", greeting=False, timeout=3)
        with m.act(visitor, "web page, wrong password", user="alice", settle=3):
            visitor.http("/", user="alice", password="wrong", port=6697)
        with m.act(visitor, "forged: a name with another address", forged=True, settle=3):
            visitor.talk(6697, "PASS x]failed-to-login-from-203.0.113.9:wrong\r\nNICK alice\r\nUSER alice 0 * :x", "QUIT", greeting=False, timeout=3)
