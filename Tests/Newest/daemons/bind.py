"""BIND: category security, by default to syslog; with `recursion no` nothing is said. UDP's sources can be anybody."""

import dns

PACKAGES = ["bind9"]
FILTERS = ["bind"]


def run(m):
    m.write("/etc/bind/named.conf", """
options { directory "/var/cache/bind"; listen-on { any; }; listen-on-v6 { any; }; allow-recursion { 127.0.0.1; }; allow-transfer { none; };
  rate-limit { responses-per-second 2; }; dnssec-validation no; pid-file none; session-keyfile none; };
controls { };
logging { channel out { file "/var/log/named.log"; print-time yes; print-category yes; print-severity yes; }; category default { out; };
  category security { out; }; category rate-limit { out; }; };
zone "example.test" { type primary; file "/etc/bind/db.test"; };
""")
    m.write("/etc/bind/db.test", "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n NS ns\nns A 198.51.100.1\nwww A 198.51.100.1\n")
    m.run("touch /var/log/named.log; chown bind: /var/log/named.log; mkdir -p /run/named; chown bind: /run/named")
    m.start("named -f -u bind")
    m.wait_for_port(53, "udp")
    m.log("/var/log/named.log")
    dns.visits(m)
    for visitor in m.abusers:
        with m.act(visitor, "thirty queries in a second", settle=3, neutral=True):
            for _ in range(30):
                with visitor.connect(53, kind=2) as connection:
                    connection.send(dns.query("www.example.test"))
        with m.act(visitor, "a dynamic update"):
            visitor.send_datagram(53, b"\x12\x34\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x04test\x00\x00\x06\x00\x01")
