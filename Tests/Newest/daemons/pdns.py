"""PowerDNS: authoritative server; standard error or syslog. `AXFR-out zone 'example.test', client 'ADDRESS:port', …`."""

import dns

PACKAGES = ["pdns-server", "pdns-backend-bind"]
FILTERS = ["powerdns"]
NOISE = r"secpoll|security status|Creating backend|About to create|bindbackend"


def run(m):
    m.write("/etc/powerdns/pdns.conf", "launch=bind\nbind-config=/etc/powerdns/named.conf\nlocal-address=0.0.0.0,::\nloglevel=5\nlog-dns-queries=yes\n"
            "guardian=no\ndaemon=no\ndisable-syslog=yes\nlog-timestamp=yes\nwebserver=yes\nwebserver-address=::\nwebserver-port=8081\n"
            "webserver-allow-from=0.0.0.0/0,::/0\napi=yes\napi-key=right\nwebserver-password=right\n")
    m.write("/etc/powerdns/named.conf", 'zone "example.test" { type master; file "/etc/powerdns/db.test"; };\n')
    m.write("/etc/powerdns/db.test", "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n NS ns\nns A 198.51.100.1\nwww A 198.51.100.1\n")
    m.run("mkdir -p /run/pdns")
    m.start("pdns_server", log="/var/log/pdns.log")
    m.wait_for_port(53, "udp")
    m.log("/var/log/pdns.log")
    dns.visits(m)
    for visitor in m.abusers:
        with m.act(visitor, "web server, wrong password"):
            visitor.http("/", user="admin", password="wrong", port=8081)
        with m.act(visitor, "API, wrong key"):
            visitor.http("/api/v1/servers", headers=["X-API-Key: wrong"], port=8081)
