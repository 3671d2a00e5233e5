"""OpenLDAP: syslog with `loglevel stats`; the address is on ACCEPT, the failure on RESULT (err=49), joined by conn=."""

PACKAGES = ["slapd", "ldap-utils"]
FILTERS = ["slapd"]

SETTINGS = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel stats
database mdb
suffix "dc=example,dc=test"
rootdn "cn=admin,dc=example,dc=test"
rootpw right
directory /var/lib/ldap-test
"""


def run(m):
    m.write("/etc/ldap/test.conf", SETTINGS)
    m.run("mkdir -p /var/lib/ldap-test /run/slapd")
    m.start_syslog()
    m.start("slapd -d 0 -f /etc/ldap/test.conf -h ldap:///")
    m.wait_for_port(389)
    m.log("/var/log/syslog")

    def bind(visitor, name, password):
        visitor.run(["ldapwhoami", "-x", "-H", f"ldap://{visitor.url_host}", "-D", name, "-w", password])

    for visitor in m.honest:
        with m.act(visitor, "right password", user="admin"):
            bind(visitor, "cn=admin,dc=example,dc=test", "right")
        with m.act(visitor, "an anonymous search"):
            visitor.run("ldapsearch -x -H ldap://{url_host} -b '' -s base")
    for visitor in m.abusers:
        with m.act(visitor, "wrong password", user="cn=admin,dc=example,dc=test"):
            bind(visitor, "cn=admin,dc=example,dc=test", "wrong")
        with m.act(visitor, "unknown name", user="cn=mallory,dc=example,dc=test"):
            bind(visitor, "cn=mallory,dc=example,dc=test", "wrong")
        with m.act(visitor, "a name that is no DN", user="mallory"):
            bind(visitor, "mallory", "wrong")
        with m.act(visitor, "forged: a name with another address", forged=True):
            bind(visitor, 'cn=x conn=1000 fd=1 ACCEPT from IP=203.0.113.9:1 (IP=0.0.0.0:389),dc=example,dc=test', "wrong")
        with m.act(visitor, "no LDAP", neutral=True):
            visitor.talk(389, b"GET / HTTP/1.0\r\n\r\n", greeting=False)
