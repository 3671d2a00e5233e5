"""dnsdist: says nothing of a single query; LogAction brings it. The web server's and console's failures are logged."""

import dns

PACKAGES = ["dnsdist"]
FILTERS = ["dnsdist"]


def run(m):
    m.write("/etc/dnsdist/dnsdist.conf", """
setLocal("0.0.0.0:53")
addLocal("[::]:53")
addACL("0.0.0.0/0") addACL("::/0")
newServer{address="127.0.0.1:5300", healthCheckMode="up"}
addAction(QTypeRule(DNSQType.ANY), LogAction("/var/log/dnsdist-any.log", false, true, false))
addAction(AllRule(), RCodeAction(DNSRCode.REFUSED))
webserver("0.0.0.0:8083")
setWebserverConfig({password=hashPassword("right"), apiKey=hashPassword("right"), acl="0.0.0.0/0, ::/0"})
addDynBlock = nil
local dbr = dynBlockRulesGroup()
dbr:setQueryRate(5, 10, "Exceeded query rate", 60)
function maintenance() dbr:apply() end
""")
    m.start("dnsdist --supervised -C /etc/dnsdist/dnsdist.conf", log="/var/log/dnsdist.log")
    m.wait_for_port(53, "udp")
    m.log("/var/log/dnsdist.log")
    dns.visits(m)
    for visitor in m.abusers:
        with m.act(visitor, "a hundred queries", settle=4):
            for _ in range(100):
                with visitor.connect(53, kind=2) as connection:
                    connection.send(dns.query("www.example.test"))
    with m.act(m.abusers[0], "web server, wrong password"):
        m.abusers[0].http("/", user="admin", password="wrong", port=8083)
