"""InfluxDB 1: the HTTP access log on standard error; a wrong password is a 401 with the name, the challenge one with `-`."""

PACKAGES = ["influxdb", "influxdb-client"]
FILTERS = ["influxdb"]


def run(m):
    m.write("/etc/influxdb/test.conf", """reporting-disabled = true
bind-address = "127.0.0.1:8088"
[meta]
  dir = "/tmp/influx/meta"
[data]
  dir = "/tmp/influx/data"
  wal-dir = "/tmp/influx/wal"
[http]
  enabled = true
  bind-address = ":8086"
  auth-enabled = true
  log-enabled = true
""")
    m.start("influxd -config /etc/influxdb/test.conf", log="/var/log/influxdb.log")
    m.wait_for_port(8086, timeout=60)
    m.run("influx -execute \"CREATE USER alice WITH PASSWORD 'right' WITH ALL PRIVILEGES\"")
    m.log("/var/log/influxdb.log")

    def ask(visitor, **more):
        visitor.http("/query?q=SHOW+DATABASES", port=8086, **more)

    for visitor in m.honest:
        with m.act(visitor, "the challenge: no password yet"):
            ask(visitor)
        with m.act(visitor, "right password", user="alice"):
            ask(visitor, user="alice", password="right")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="alice"):
            ask(visitor, user="alice", password="wrong")
        with m.act(visitor, "unknown name", user="mallory"):
            ask(visitor, user="mallory", password="wrong")
        with m.act(visitor, "wrong password in the address", user="alice"):
            visitor.http("/query?u=alice&p=wrong&q=SHOW+DATABASES", port=8086)
        with m.act(visitor, "forged: a name with another address", forged=True):
            ask(visitor, user="x 203.0.113.9 - y", password="wrong")
